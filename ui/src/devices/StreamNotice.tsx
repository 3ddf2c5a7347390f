// Below the title of a camera: why it does not run, since when, what happens next, and the button that cures it.
import { Button, Group } from '@mantine/core';
import { Link } from 'react-router';
import type { Device, Stream } from '../api/types';
import { formatSpan } from '../formatting/moments';
import { sentence } from '../formatting/sentence';
import { Notice } from '../widgets/Notice';
import { Timestamp } from '../widgets/Timestamp';
import { useNow } from '../widgets/useNow';

interface StreamNoticeProps {
  device: Device;
  stream: Stream;
  onStart: () => void;
  onTryNow: () => void;
}

/** Reasons that only another address, user or password cures. */
const OF_SOURCE = new Set([
  'unauthorized',
  'login_revoked',
  'login_paused',
  'login_unsupported',
  'forbidden',
  'not_rtsp',
  'redirected',
  'transport_refused',
  'udp_blocked',
  'tls_untrusted',
  'tls_expired',
  'tls_wrong_name',
  'tls_changed',
  'tls_not_spoken',
  'not_found',
  'refused',
  'unreachable',
  'timed_out',
  'unknown_host',
  'no_video',
  'unsupported_codec',
  'tls_failed',
  'address_not_allowed',
  'wrong_secret_key',
]);
/** Reasons that another user or password cures. */
const OF_LOGIN = new Set(['unauthorized', 'login_revoked', 'login_paused']);
/** Reasons that trust in another certificate cures. */
const OF_TRUST = new Set(['tls_untrusted', 'tls_expired', 'tls_wrong_name', 'tls_changed']);
/** The stream waits for the camera; a new connection would only make it wait longer. */
const WAITING = new Set(['waits_for_key_frame', 'no_key_frames']);
/** States that are wanted need no explanation. */
const EXPECTED = new Set(['requested', 'idle', 'takeover', 'source_changed', 'output_changed', 'options_changed']);
/** A start takes some seconds. */
const GRACE_MS = 5_000;

export function StreamNotice({ device, stream, onStart, onTryNow }: StreamNoticeProps) {
  const now = useNow(1_000);
  const { observed, desired, reason, since } = stream;
  const forMs = since ? now - Date.parse(since) : Infinity;
  if (!device.enabled) {
    return (
      <Notice tone="still" title="This camera is disabled">
        VAS does not connect to it, and nothing is recorded.
        <Cure to={`/devices/${device.id}/edit`} label="Enable it under Edit" />
      </Notice>
    );
  }
  if (observed === 'stopped' && desired === 'stopped') {
    if (device.start_mode !== 'always') return null;
    return (
      <Notice tone="still" title="This camera was stopped" role="status">
        {since && <Since at={since} forMs={forMs} />} Nothing is recorded while it is stopped.
        <Group mt="xs">
          <Button size="xs" variant="default" onClick={onStart}>
            Start
          </Button>
        </Group>
      </Notice>
    );
  }
  if (observed === 'running' || desired === 'stopped' || !reason || EXPECTED.has(reason.code)) return null;
  if (observed === 'starting' && forMs < GRACE_MS) return null;
  return (
    <Notice tone={observed === 'failed' ? 'bad' : 'warn'} title={sentence(reason.message)} role="status">
      {since && <Since at={since} forMs={forMs} />} {reason.remedy && sentence(reason.remedy)}
      {!WAITING.has(reason.code) && !OF_LOGIN.has(reason.code) && ' The connection is tried again by itself.'}
      <Group mt="xs">
        {!WAITING.has(reason.code) && (
          <Button size="xs" variant="default" onClick={onTryNow}>
            Try now
          </Button>
        )}
        {OF_SOURCE.has(reason.code) && (
          <Button size="xs" variant="default" component={Link} to={`/devices/${device.id}/edit`}>
            {cureOf(reason.code)}
          </Button>
        )}
      </Group>
    </Notice>
  );
}

function cureOf(code: string): string {
  if (OF_LOGIN.has(code)) return 'Enter user and password';
  return OF_TRUST.has(code) ? 'Test and trust the certificate' : 'Edit the address';
}

function Since({ at, forMs }: { at: string; forMs: number }) {
  return (
    <>
      Since <Timestamp at={at} /> ({formatSpan(forMs)}).
    </>
  );
}

function Cure({ to, label }: { to: string; label: string }) {
  return (
    <Group mt="xs">
      <Button size="xs" variant="default" component={Link} to={to}>
        {label}
      </Button>
    </Group>
  );
}
