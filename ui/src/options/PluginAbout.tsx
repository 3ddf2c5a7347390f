// What a plugin is, beside its options: description, version, state, and the other places that it has options for.
import { Anchor, Stack, Text } from '@mantine/core';
import { Link } from 'react-router';
import type { OptionsPlace } from '../api/pluginOptions';
import { sentence } from '../formatting/sentence';
import { usePlugins } from '../health/usePlugins';
import { Panel } from '../widgets/Panel';
import { StatisticsList } from '../widgets/StatisticsList';

const STATES = {
  running: 'running',
  degraded: 'running with problems',
  set_aside: 'set aside after failures',
  failed: 'failed',
  off: 'switched off',
};

/** Nothing until the plugin is known. */
export function PluginAbout({ place }: { place: OptionsPlace }) {
  const plugin = usePlugins().data?.find(({ name }) => name === place.plugin);
  if (!plugin) return null;
  const isForAll = place.deviceId === undefined && place.tag === undefined;
  return (
    <Panel title="About this plugin">
      <Stack gap="xs">
        {plugin.description && <Text size="sm">{sentence(plugin.description)}</Text>}
        <StatisticsList
          rows={[
            ['State', STATES[plugin.state] ?? plugin.state],
            ['Version', plugin.version],
            ['Package', plugin.package],
          ]}
        />
        {plugin.reason && (
          <Text size="sm" c="var(--vas-bad)">
            {sentence(plugin.reason)} {plugin.remedy && sentence(plugin.remedy)}
          </Text>
        )}
        <Text size="sm" c="dimmed">
          {isForAll
            ? 'These options hold for all cameras. A tag or a camera may set others: a camera’s own are on its page, under “Plugins”.'
            : 'What is not set here comes from the tags of the camera, then from all cameras, then from the default.'}
        </Text>
        {!isForAll && (
          <Anchor component={Link} to={`/plugins/${encodeURIComponent(place.plugin)}`} size="sm" className="target">
            Options for all cameras
          </Anchor>
        )}
      </Stack>
    </Panel>
  );
}
