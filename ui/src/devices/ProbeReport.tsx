// The result of a probe: tracks and formats of a camera's address, and advice.
import { Stack } from '@mantine/core';
import type { ProbeResult } from '../api/types';
import { StatisticsList } from '../widgets/StatisticsList';
import { formatAudio, formatCodec, formatMs, NOTHING } from '../formatting/statistics';
import { videoRows } from './videoRows';
import { Notice } from '../widgets/Notice';
import { sentence } from '../formatting/sentence';

export function ProbeReport({ result }: { result: ProbeResult }) {
  const { video, audio, reason } = result;
  if (!result.reachable || !video) {
    return (
      <Notice tone="bad" title={result.reachable ? 'Connected, but there is no video' : 'No connection'}>
        {reason
          ? `${sentence(reason.message)} ${reason.remedy ? sentence(reason.remedy) : ''}`
          : 'No reason was reported.'}
        {result.elapsed_ms !== null && (
          <div style={{ color: 'var(--vas-ink-soft)' }}>After {formatMs(result.elapsed_ms)}.</div>
        )}
      </Notice>
    );
  }
  return (
    <Stack gap="sm">
      <Notice tone="good" title="The camera sends video">
        First frame after {formatMs(result.time_to_first_frame_ms ?? result.elapsed_ms)}.
      </Notice>
      {result.advice.map((advice) => (
        <Notice key={advice.code} tone={advice.level === 'warning' ? 'warn' : 'busy'}>
          {sentence(advice.message)}
        </Notice>
      ))}
      <StatisticsList
        rows={[
          ...videoRows(video, { fps: video.fps, bitrateKbps: video.bitrate_kbps }),
          ['Pixel format', video.pixel_format ?? NOTHING],
          ['Audio', formatAudio(audio)],
          ['Tracks', result.tracks.map((track) => `${track.type} ${formatCodec(track.codec)}`).join(', ') || NOTHING],
        ]}
      />
    </Stack>
  );
}
