// The installed plugins with their versions and the hooks they implement.
import { Code, Skeleton, Text } from '@mantine/core';
import { usePlugins } from './usePlugins';
import { Failure } from '../widgets/Failure';
import { Panel } from '../widgets/Panel';
import classes from './PluginTable.module.css';

export function PluginTable() {
  const { data, error } = usePlugins();
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
                {plugin.hooks.length > 0 && (
                  <ul className={classes.hooks} aria-label={`Hooks of ${plugin.name}`}>
                    {plugin.hooks.map((hook) => (
                      <li key={hook}>
                        <Code className={classes.hook ?? ''}>{hook}</Code>
                      </li>
                    ))}
                  </ul>
                )}
              </div>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}
