// Details of a stream: desired and observed state, run, restarts, formats, and why it is re-encoded.
import { List, Text } from '@mantine/core';
import type { Stream, StreamOutput } from '../api/types';
import { StatisticsList } from '../widgets/StatisticsList';
import { formatAudio, formatMs, NOTHING } from '../formatting/statistics';
import { videoRows } from './videoRows';
import { Panel } from '../widgets/Panel';
import { sentence } from '../formatting/sentence';
import { STATE_STYLES } from '../widgets/stateStyles';
import { Timestamp } from '../widgets/Timestamp';

const OUTPUT_MODES = { copy: 'as the camera sends it', sub_stream: 'from the sub-stream', transcode: 're-encoded' };

const OUTPUT_STATES = {
  attaching: 'starting',
  running: 'running',
  waiting: 'waiting',
  failed: 'failed',
  blocked: 'does not answer',
  set_aside: 'set aside',
};

/** An output that runs, by the source of its video or its delay; otherwise its state and reason. */
function describeOutput(output: StreamOutput): string {
  if (output.state !== 'running') return [OUTPUT_STATES[output.state], output.reason].filter(Boolean).join(': ');
  if (output.mode) return OUTPUT_MODES[output.mode];
  return output.lag_seconds && output.lag_seconds > 2
    ? `running, ${output.lag_seconds.toFixed(0)} s behind`
    : 'running';
}

/** How the session with the camera goes; nothing while there is none. */
function sessionRows(stream: Stream): [string, string | number][] {
  if (!stream.transport) return [];
  const rows: [string, string | number][] = [['Transport in use', stream.transport.toUpperCase()]];
  if (stream.login) rows.push(['Login', stream.login === 'none' ? 'None' : stream.login]);
  if (stream.camera_server) rows.push(['Camera’s name', stream.camera_server]);
  if (stream.clock_rate !== null) rows.push(['Camera’s clock', `${(stream.clock_rate * 100).toFixed(1)} %`]);
  rows.push(['Lost packets', stream.lost_packets ?? NOTHING]);
  if (stream.ffmpeg_restarts) rows.push(['FFmpeg restarts, without loss', stream.ffmpeg_restarts]);
  return rows;
}

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
          ...sessionRows(stream),
          ...stream.outputs.map((output): [string, string] => [
            `Output ${output.name.replaceAll('_', ' ')}`,
            describeOutput(output),
          ]),
        ]}
      />
      {stream.notes.length > 0 && (
        <List size="sm" mt="sm" aria-label="Notes">
          {stream.notes.map((note) => (
            <List.Item key={note} style={{ overflowWrap: 'anywhere' }}>
              {sentence(note)}
            </List.Item>
          ))}
        </List>
      )}
      {stream.is_reencoded && (
        <Text size="sm" mt="sm" c="var(--vas-warn)">
          Re-encoded for live view{stream.reencode_reason ? `: ${sentence(stream.reencode_reason)}` : '.'}
        </Text>
      )}
    </Panel>
  );
}
