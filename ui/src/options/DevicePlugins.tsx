// The plugins of a camera on its page: which options are its own, what is wrong with them, and links to change them.
import { Button, Skeleton, Text } from '@mantine/core';
import { IconAdjustments, IconAlertTriangle } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from 'react-router';
import { listDeviceOptions, optionKeys, type PluginOptions } from '../api/pluginOptions';
import type { StreamOutput } from '../api/types';
import { sentence } from '../formatting/sentence';
import { Failure } from '../widgets/Failure';
import { Panel } from '../widgets/Panel';
import { pluginTitle } from './optionTexts';
import classes from './DevicePlugins.module.css';

/** States of an output that the camera has, also while nothing comes of it. */
const ATTACHED: StreamOutput['state'][] = ['running', 'waiting', 'blocked'];

/** The titles of the options that are set for this camera alone. */
function ownTitles({ values, secrets, schema }: PluginOptions): string[] {
  return Object.entries(schema.properties)
    .filter(([name]) => name in values || secrets[name])
    .map(([, field]) => field.title);
}

function PluginRow({ options, output }: { options: PluginOptions; output: StreamOutput | undefined }) {
  const own = ownTitles(options);
  const title = pluginTitle(options.plugin);
  const [problem] = options.problems;
  return (
    <li className={classes.row}>
      <div className={classes.about}>
        <div className={classes.name}>{title}</div>
        <Text size="xs" c="dimmed">
          {own.length > 0 ? `Set for this camera: ${own.join(', ')}` : 'All options are inherited'}
          {output && (ATTACHED.includes(output.state) ? ' · attached' : ' · not attached')}
        </Text>
        {problem && (
          <Text size="xs" className={classes.problem}>
            <IconAlertTriangle size={14} stroke={1.8} aria-hidden /> {sentence(problem.message)}
          </Text>
        )}
      </div>
      <Button
        component={Link}
        to={`/devices/${options.device_id}/plugins/${encodeURIComponent(options.plugin)}`}
        size="xs"
        variant="default"
        leftSection={<IconAdjustments size={15} stroke={1.7} />}
        aria-label={`Options of ${title}`}
      >
        Options
      </Button>
    </li>
  );
}

export function DevicePlugins({ deviceId, outputs }: { deviceId: string; outputs: StreamOutput[] }) {
  const { data, error, refetch } = useQuery({
    queryKey: optionKeys.ofDevice(deviceId),
    queryFn: ({ signal }) => listDeviceOptions(deviceId, signal),
    staleTime: 30_000,
  });
  if (data?.length === 0) return null;
  return (
    <Panel title="Plugins">
      {error && !data && (
        <Failure title="The options of plugins could not be loaded" error={error} onRetry={() => void refetch()} />
      )}
      {!data && !error && <Skeleton height={48} />}
      {data && (
        <ul className={classes.list}>
          {data.map((options) => (
            <PluginRow
              key={options.plugin}
              options={options}
              output={outputs.find((output) => output.plugin === options.plugin)}
            />
          ))}
        </ul>
      )}
    </Panel>
  );
}
