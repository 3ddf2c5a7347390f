// Details of a stream: desired and observed state, run, restarts, formats, and why it is re-encoded.
import { Text } from '@mantine/core';
import type { Stream } from '../api/types';
import { StatisticsList } from '../widgets/StatisticsList';
import { formatAudio, formatMs, NOTHING } from '../formatting/statistics';
import { videoRows } from './videoRows';
import { Panel } from '../widgets/Panel';
import { sentence } from '../formatting/sentence';
import { STATE_STYLES } from '../widgets/stateStyles';
import { Timestamp } from '../widgets/Timestamp';

const OUTPUT_MODES = { copy: 'as the camera sends it', sub_stream: 'from the sub-stream', transcode: 're-encoded' };

export function StreamDetails({ stream }: { stream: Stream }) {
  const { video } = stream;
  const isRunning = stream.observed === 'running';
  return (
    <Panel title="Stream">
      <StatisticsList
        rows={[
          ['Desired state', stream.desired === 'running' ? 'Running' : 'Stopped'],
          ['Observed state', STATE_STYLES[stream.observed].label],
          ['Since', stream.since ? <Timestamp at={stream.since} /> : NOTHING],
          ['Run', stream.run ?? NOTHING],
          ['Restarts', stream.restarts],
          ...videoRows(video, {
            fps: isRunning ? stream.fps : null,
            bitrateKbps: isRunning ? stream.bitrate_kbps : null,
          }),
          ['Audio', stream.video ? formatAudio(stream.audio) : NOTHING],
          [
            'Newest part',
            isRunning && stream.last_part_age_ms !== null ? `${formatMs(stream.last_part_age_ms)} old` : NOTHING,
          ],
          ['Viewers', stream.viewers ?? NOTHING],
          ...stream.outputs.map((output): [string, string] => [
            `Output ${output.name.replaceAll('_', ' ')}`,
            OUTPUT_MODES[output.mode] ?? output.mode,
          ]),
        ]}
      />
      {stream.is_reencoded && (
        <Text size="sm" mt="sm" c="var(--vas-warn)">
          Re-encoded for live view{stream.reencode_reason ? `: ${sentence(stream.reencode_reason)}` : '.'}
        </Text>
      )}
    </Panel>
  );
}
