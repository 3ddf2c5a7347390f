// The description of a device and its connection settings.
import { Text } from '@mantine/core';
import type { ReactNode } from 'react';
import type { Device } from '../api/types';
import { StatisticsList } from '../widgets/StatisticsList';
import { formatSeconds, NOTHING } from '../formatting/statistics';
import { Panel } from '../widgets/Panel';
import { TagList } from '../widgets/TagList';
import { Fingerprint } from './Fingerprint';
import { Timestamp } from '../widgets/Timestamp';

const START_MODES = { always: 'Always running', manual: 'Manual', on_demand: 'On demand' };

const TRUSTS = { verify: 'Signed by a known authority', pinned: 'Only one', any: 'Any' };

/** The trust in the camera's certificate, if the connection is encrypted. */
function trustRows(device: Device): [string, ReactNode][] {
  if (![device.source_url, device.sub_source_url].some((url) => url && /^(rtsps|https):/i.test(url))) return [];
  return [
    ['Trusted certificate', TRUSTS[device.tls_trust]],
    ...(device.tls_fingerprint
      ? [['Fingerprint', <Fingerprint key="fingerprint" text={device.tls_fingerprint} />] as [string, ReactNode]]
      : []),
  ];
}

export function DeviceAbout({ device }: { device: Device }) {
  return (
    <Panel title="Camera">
      {device.description && (
        <Text size="sm" mb="sm" style={{ overflowWrap: 'anywhere', whiteSpace: 'pre-line' }}>
          {device.description}
        </Text>
      )}
      <StatisticsList
        rows={[
          ['Location', device.location || NOTHING],
          ['Tags', device.tags.length > 0 ? <TagList tags={device.tags} max={6} isAtEnd /> : NOTHING],
          ['Address', device.source_url],
          ...(device.sub_source_url ? [['Sub-stream', device.sub_source_url] as [string, string]] : []),
          ['Transport', device.transport.toUpperCase()],
          ...trustRows(device),
          ['Start mode', START_MODES[device.start_mode]],
          ...(device.start_mode === 'on_demand'
            ? [['Stops without viewers after', formatSeconds(device.idle_seconds)] as [string, string]]
            : []),
          ['Added', <Timestamp key="added" at={device.created_at} />],
          ['Changed', <Timestamp key="changed" at={device.updated_at} />],
        ]}
      />
    </Panel>
  );
}
