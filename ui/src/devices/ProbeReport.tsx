// What a camera's address offers, and what to know about it before saving.
import { Stack } from '@mantine/core';
import type { ProbeResult } from '../api/types';
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
import { Notice } from '../widgets/Notice';
import { sentence } from '../formatting/sentence';

export function ProbeReport({ result }: { result: ProbeResult }) {
  const { video, audio, reason } = result;
  if (!result.reachable || !video) {
    return (
      <Notice tone="bad" title={result.reachable ? 'Connected, but there is no video' : 'No connection'}>
        {reason
          ? `${sentence(reason.message)} ${reason.remedy ? sentence(reason.remedy) : ''}`
          : 'The camera gave no reason.'}
        {result.elapsed_ms !== null && (
          <div style={{ color: 'var(--vas-ink-soft)' }}>After {formatMs(result.elapsed_ms)}.</div>
        )}
      </Notice>
    );
  }
  return (
    <Stack gap="sm">
      <Notice tone="good" title="The camera sends video">
        First picture after {formatMs(result.time_to_first_frame_ms ?? result.elapsed_ms)}.
      </Notice>
      {result.advice.map((advice) => (
        <Notice key={advice.code} tone={advice.level === 'warning' ? 'warn' : 'busy'}>
          {sentence(advice.message)}
        </Notice>
      ))}
      <StatisticsList
        rows={[
          ['Video', `${formatCodec(video.codec)}${video.profile ? ` ${video.profile}` : ''}`],
          ['Resolution', formatSize(video)],
          ['Frames a second', formatFps(video.fps)],
          ['Bitrate', formatBitrate(video.bitrate_kbps)],
          ['B-frames', video.has_b_frames === null ? NOTHING : video.has_b_frames ? 'Yes' : 'No'],
          ['Key frame every', formatSeconds(video.key_frame_interval_seconds)],
          ['Pixels', video.pixel_format ?? NOTHING],
          ['Sound', formatAudio(audio)],
          ['Tracks', result.tracks.map((track) => `${track.type} ${formatCodec(track.codec)}`).join(', ') || NOTHING],
        ]}
      />
    </Stack>
  );
}
