// The result of a probe: tracks and formats of a camera's address, and advice.
import { Button, Group, Stack } from '@mantine/core';
import type { Certificate, ProbeResult } from '../api/types';
import { StatisticsList } from '../widgets/StatisticsList';
import { formatAudio, formatCodec, formatMs, NOTHING } from '../formatting/statistics';
import { videoRows } from './videoRows';
import { Notice } from '../widgets/Notice';
import { Timestamp } from '../widgets/Timestamp';
import { Fingerprint } from './Fingerprint';
import { sentence } from '../formatting/sentence';
import classes from './DeviceForm.module.css';

const GIGABYTES_A_DAY_PER_KBPS = (86_400 * 1000) / 8 / 1e9;

/** What to do in this form; the server's remedies speak of a device that exists. */
const REMEDIES: Record<string, string> = {
  unauthorized: 'Correct user and password.',
  forbidden: 'Use another user, or give this one the right to view.',
  login_paused:
    'Correct user and password, which are tested at once; or try the same again if the camera accepts it now.',
  not_found: 'Correct the path of the address: the camera’s manual names it.',
};

/** "About 43 GB a day"; a dash if the bit rate is unknown. */
const perDay = (kbps: number | null): string =>
  kbps === null ? NOTHING : `about ${Math.max(0.1, Math.round(kbps * GIGABYTES_A_DAY_PER_KBPS * 10) / 10)} GB a day`;

interface ProbeReportProps {
  result: ProbeResult;
  /** The device exists already. */
  isKnown: boolean;
  /** The fingerprint of the certificate that the form trusts; null without. */
  trusted: string | null;
  onTrust: (fingerprint: string) => void;
  /** Tests again although the login is paused. */
  onTryNow: () => void;
}

const withoutColons = (text: string | null) => text?.replace(/[:\s]/g, '').toLowerCase();

export function ProbeReport({ result, isKnown, trusted, onTrust, onTryNow }: ProbeReportProps) {
  const { video, audio, reason, tls } = result;
  const certificate = tls && (
    <CertificateReport
      certificate={tls}
      isTrusted={withoutColons(trusted) === tls.fingerprint}
      onTrust={() => onTrust(tls.fingerprint)}
    />
  );
  if (!result.reachable || !video) {
    return (
      <Stack gap="sm">
        <Notice tone="bad" title={reason ? sentence(reason.message) : 'The camera sends no video'}>
          {reason &&
            (REMEDIES[reason.code] ??
              (reason.remedy && (isKnown || !reason.remedy.includes('device')) && sentence(reason.remedy)))}
          {result.elapsed_ms !== null && (
            <div style={{ color: 'var(--vas-ink-soft)' }}>After {formatMs(result.elapsed_ms)}.</div>
          )}
          {reason?.code === 'login_paused' && (
            <Group mt="xs">
              <Button size="xs" variant="default" onClick={onTryNow}>
                Try now
              </Button>
            </Group>
          )}
        </Notice>
        {certificate}
      </Stack>
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
      {certificate}
      {result.notes?.map((note) => (
        <Notice key={note} tone="still">
          {sentence(note)}
        </Notice>
      ))}
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

function CertificateReport({
  certificate,
  isTrusted,
  onTrust,
}: {
  certificate: Certificate;
  isTrusted: boolean;
  onTrust: () => void;
}) {
  return (
    <div>
      <StatisticsList
        rows={[
          ['Certificate of', certificate.subject ?? NOTHING],
          ['Valid until', certificate.expires ? <Timestamp key="expires" at={certificate.expires} /> : NOTHING],
          ['Fingerprint', <Fingerprint key="fingerprint" text={certificate.fingerprint} />],
        ]}
      />
      {!isTrusted && (
        <Button mt="xs" size="xs" variant="default" onClick={onTrust}>
          Trust the certificate that the camera shows now
        </Button>
      )}
    </div>
  );
}
