// What the service knows of a stream: wish and fact, run, restarts, formats, and what is re-encoded and why.
import { Text } from '@mantine/core';
import type { Stream } from '../api/types';
import { StatisticsList } from '../widgets/StatisticsList';
import {
  formatAudio,
  formatBitrate,
  formatCodec,
  formatFps,
  formatMs,
  formatSeconds,
  formatSize,
  NOTHING,
} from '../formatting/statistics';
import { Panel } from '../widgets/Panel';
import { sentence } from '../formatting/sentence';
import { STATE_STYLES } from '../widgets/stateStyles';
import { Timestamp } from '../widgets/Timestamp';

const OUTPUT_MODES = { copy: 'copied', sub_stream: 'from the sub-stream', transcode: 're-encoded' };

export function StreamDetails({ stream }: { stream: Stream }) {
  const { video } = stream;
  const isRunning = stream.observed === 'running';
  return (
    <Panel title="Stream">
      <StatisticsList
        rows={[
          ['Wanted', stream.desired === 'running' ? 'Running' : 'Stopped'],
          ['State', STATE_STYLES[stream.observed].label],
          ['Since', stream.since ? <Timestamp at={stream.since} /> : NOTHING],
          ['Run', stream.run ?? NOTHING],
          ['Restarts', stream.restarts],
          ['Video', video ? `${formatCodec(video.codec)}${video.profile ? ` ${video.profile}` : ''}` : NOTHING],
          ['Resolution', formatSize(video)],
          ['Frames a second', formatFps(isRunning ? stream.fps : null)],
          ['Bitrate', formatBitrate(isRunning ? stream.bitrate_kbps : null)],
          ['Key frame every', formatSeconds(video?.key_frame_interval_seconds)],
          ['B-frames', video?.has_b_frames == null ? NOTHING : video.has_b_frames ? 'Yes' : 'No'],
          ['Sound', stream.video ? formatAudio(stream.audio) : NOTHING],
          [
            'Newest footage',
            isRunning && stream.last_part_age_ms !== null ? `${formatMs(stream.last_part_age_ms)} old` : NOTHING,
          ],
          ['Viewers', stream.viewers ?? NOTHING],
          ...stream.outputs.map((output): [string, string] => [output.name, OUTPUT_MODES[output.mode] ?? output.mode]),
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
