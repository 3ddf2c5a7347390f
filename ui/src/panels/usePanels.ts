// The panels that plugins have for a place.
import { useQuery } from '@tanstack/react-query';
import { listPlugins } from '../api/health';
import { queryKeys } from '../api/queryKeys';
import type { Plugin, PluginPanel } from '../api/types';

export interface PanelOfPlugin {
  plugin: string;
  panel: PluginPanel;
}

export function panelsOf(plugins: Plugin[], place: PluginPanel['place']): PanelOfPlugin[] {
  return plugins.flatMap(({ name, panels }) =>
    panels.filter((panel) => panel.place === place).map((panel) => ({ plugin: name, panel })),
  );
}

/** Empty until they are known; they are extras, so that a failure is not shown. */
export function usePanels(place: PluginPanel['place']): PanelOfPlugin[] {
  const { data } = useQuery({
    queryKey: queryKeys.plugins,
    queryFn: ({ signal }) => listPlugins(signal),
    staleTime: 60_000,
  });
  return panelsOf(data ?? [], place);
}
