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
}

/** Reasons that only another address, user or password cures. */
const OF_SOURCE = new Set([
  'unauthorized',
  'forbidden',
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
/** States that are wanted need no explanation. */
const EXPECTED = new Set(['requested', 'idle', 'takeover', 'source_changed', 'output_changed']);
/** A start takes some seconds. */
const GRACE_MS = 5_000;

export function StreamNotice({ device, stream, onStart }: StreamNoticeProps) {
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
      {since && <Since at={since} forMs={forMs} />} {reason.remedy && sentence(reason.remedy)} The connection is tried
      again by itself.
      {OF_SOURCE.has(reason.code) && (
        <Cure
          to={`/devices/${device.id}/edit`}
          label={reason.code === 'unauthorized' ? 'Enter user and password' : 'Edit the address'}
        />
      )}
    </Notice>
  );
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
