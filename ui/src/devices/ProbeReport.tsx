// The result of a probe: tracks and formats of a camera's address, and advice.
import { Stack } from '@mantine/core';
import type { ProbeResult } from '../api/types';
import { StatisticsList } from '../widgets/StatisticsList';
import { formatAudio, formatCodec, formatMs, NOTHING } from '../formatting/statistics';
import { videoRows } from './videoRows';
import { Notice } from '../widgets/Notice';
import { sentence } from '../formatting/sentence';
import classes from './DeviceForm.module.css';

const GIGABYTES_A_DAY_PER_KBPS = (86_400 * 1000) / 8 / 1e9;

/** What to do in this form; the server's remedies speak of a device that exists. */
const REMEDIES: Record<string, string> = {
  unauthorized: 'Correct user and password.',
  forbidden: 'Use another user, or give this one the right to view.',
  not_found: 'Correct the path of the address: the camera’s manual names it.',
};

/** "About 43 GB a day"; a dash if the bit rate is unknown. */
const perDay = (kbps: number | null): string =>
  kbps === null ? NOTHING : `about ${Math.max(0.1, Math.round(kbps * GIGABYTES_A_DAY_PER_KBPS * 10) / 10)} GB a day`;

/** `isKnown`: the device exists already. */
export function ProbeReport({ result, isKnown }: { result: ProbeResult; isKnown: boolean }) {
  const { video, audio, reason } = result;
  if (!result.reachable || !video) {
    return (
      <Notice tone="bad" title={reason ? sentence(reason.message) : 'The camera sends no video'}>
        {reason &&
          (REMEDIES[reason.code] ??
            (reason.remedy && (isKnown || !reason.remedy.includes('device')) && sentence(reason.remedy)))}
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
      {result.picture && (
        <img className={classes.picture} src={`data:image/jpeg;base64,${result.picture}`} alt="Picture of the camera" />
      )}
      {result.advice.map((advice) => (
        <Notice key={advice.code} tone={advice.level === 'warning' ? 'warn' : 'busy'}>
          {sentence(advice.message)}
        </Notice>
      ))}
      <StatisticsList
        rows={[
          ...videoRows(video, { fps: video.fps, bitrateKbps: video.bitrate_kbps }),
          ['Recorded', perDay(video.bitrate_kbps)],
          ['Pixel format', video.pixel_format ?? NOTHING],
          ['Audio', formatAudio(audio)],
          ['Tracks', result.tracks.map((track) => `${track.type} ${formatCodec(track.codec)}`).join(', ') || NOTHING],
        ]}
      />
    </Stack>
  );
}
