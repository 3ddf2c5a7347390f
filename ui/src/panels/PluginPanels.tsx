// The panels of plugins for one place, below the other parts of a page.
import type { PluginPanel as Panel } from '../api/types';
import { PluginPanel } from './PluginPanel';
import { usePanels } from './usePanels';
import classes from './PluginPanels.module.css';

interface PluginPanelsProps {
  place: Panel['place'];
  deviceId?: string | null;
  className?: string | undefined;
}

export function PluginPanels({ place, deviceId = null, className = '' }: PluginPanelsProps) {
  const panels = usePanels(place);
  if (panels.length === 0) return null;
  return (
    <div className={`${classes.panels} ${className}`} data-testid="plugin-panels">
      {panels.map(({ plugin, panel }) => (
        <PluginPanel key={`${plugin} ${panel.name} ${deviceId}`} plugin={plugin} panel={panel} deviceId={deviceId} />
      ))}
    </div>
  );
}
