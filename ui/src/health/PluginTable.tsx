// The installed plugins with their versions, the hooks they implement, and, on request, their work.
import { Anchor, Code, Skeleton, Text } from '@mantine/core';
import { useState } from 'react';
import { Link } from 'react-router';
import { sentence } from '../formatting/sentence';
import { PluginWork } from './PluginWork';
import { usePlugins } from './usePlugins';
import { Failure } from '../widgets/Failure';
import { Panel } from '../widgets/Panel';
import classes from './PluginTable.module.css';

const STATES = {
  running: 'Runs',
  degraded: 'Does not run as it should',
  set_aside: 'Set aside for some time',
  failed: 'Does not run',
  off: 'Switched off',
};
/** A plugin that implements one of these has work or data of its own. */
const WORK_HOOKS = new Set(['register_jobs', 'register_schedules', 'register_services', 'register_migrations']);

export function PluginTable() {
  const { data, error } = usePlugins();
  const [opened, setOpened] = useState<ReadonlySet<string>>(new Set());
  const mark = (name: string, isOpen: boolean) =>
    setOpened((known) => new Set([...known].filter((other) => other !== name).concat(isOpen ? [name] : [])));
  return (
    <Panel title="Installed plugins">
      {error && !data && <Failure title="The plugins could not be loaded" error={error} />}
      {!data && !error && <Skeleton height={64} />}
      {data?.length === 0 && (
        <Text size="sm" c="dimmed">
          No plugin is installed: cameras run, but there is no live view and no recording.
        </Text>
      )}
      {data && data.length > 0 && (
        <ul className={classes.plugins}>
          {data.map((plugin) => (
            <li key={`${plugin.package} ${plugin.name}`} className={classes.plugin}>
              <div>
                <div className={classes.name}>{plugin.name}</div>
                <div className={classes.version} title={plugin.package}>
                  {plugin.version}
                </div>
              </div>
              <div className={classes.text}>
                {plugin.description}
                {plugin.options_fault && (
                  <Text size="sm" c="var(--vas-bad)">
                    Its options cannot be used: {sentence(plugin.options_fault)}
                  </Text>
                )}
                {plugin.options.length > 0 && (
                  <div>
                    <Anchor
                      component={Link}
                      to={`/plugins/${encodeURIComponent(plugin.name)}`}
                      size="sm"
                      aria-label={`Options of ${plugin.name}`}
                    >
                      Options
                    </Anchor>
                  </div>
                )}
                {plugin.state !== 'running' && (
                  <Text size="sm" c={plugin.state === 'off' ? 'dimmed' : 'var(--vas-warn)'} role="status">
                    {STATES[plugin.state]}
                    {plugin.reason && plugin.state !== 'off' ? `: ${sentence(plugin.reason)}` : '.'}
                    {plugin.remedy && plugin.state !== 'off' ? ` ${sentence(plugin.remedy)}` : ''}
                  </Text>
                )}
                {plugin.hooks.length > 0 && (
                  <ul className={classes.hooks} aria-label={`Hooks of ${plugin.name}`}>
                    {plugin.hooks.map((hook) => (
                      <li key={hook}>
                        <Code className={classes.hook ?? ''}>{hook}</Code>
                      </li>
                    ))}
                  </ul>
                )}
                {plugin.hooks.some((hook) => WORK_HOOKS.has(hook)) && (
                  <details
                    className={classes.details}
                    onToggle={(event) => mark(plugin.name, event.currentTarget.open)}
                  >
                    <summary>Work and data</summary>
                    {opened.has(plugin.name) && <PluginWork name={plugin.name} />}
                  </details>
                )}
              </div>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}
