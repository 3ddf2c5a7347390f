// An archive in the storage panel: what its copying does, why it waits, and its test.
import { Button, Group, Text } from '@mantine/core';
import type { ArchiveFailure, ArchiveState as State } from '../api/recordingTypes';
import { formatBytes } from '../formatting/amounts';
import { formatSpan } from '../formatting/moments';
import { sentence } from '../formatting/sentence';
import { Notice } from '../widgets/Notice';
import { Timestamp } from '../widgets/Timestamp';
import { useArchiveControl, type TestOutcome } from './useArchiveControl';
import classes from './StoragePanel.module.css';

/** "Copying, 2.5 MB/s, about 3 h left". */
export function formatWork({ state, bytes_per_second, ends_at }: State, nowMs: number): string {
  switch (state) {
    case 'copying': {
      const left = ends_at ? Date.parse(ends_at) - nowMs : null;
      const rest = left !== null && left > 60_000 ? `, about ${formatSpan(left)} left` : '';
      return `Copying, ${formatBytes(bytes_per_second)}/s${rest}`;
    }
    case 'idle':
      return 'Ready';
    case 'closed':
      return 'Waits for the hours in which copying is allowed';
    case 'failing':
      return 'Copies fail';
    case 'unconfigured':
      return 'Not set up';
    default:
      return 'No state: the process that copies does not report';
  }
}

const Failure = ({ message, remedy }: Pick<ArchiveFailure, 'message' | 'remedy'>) => (
  <>
    {sentence(message)} {sentence(remedy)}
  </>
);

function Outcome({ outcome }: { outcome: TestOutcome }) {
  if (outcome.kind === 'running') return <Notice tone="busy" title="The connection is being tested" role="status" />;
  if (outcome.kind === 'good') return <Notice tone="good" title="The connection works" role="status" />;
  return (
    <Notice tone="bad" title="The connection does not work" role="alert">
      {outcome.reason && <Failure {...outcome.reason} />}
    </Notice>
  );
}

export function ArchiveState({ archive, nowMs }: { archive: State; nowMs: number }) {
  const { name, state, reason, next_try_at, failing_since, is_testable } = archive;
  const { test, retry, outcome } = useArchiveControl(name);
  return (
    <section className={classes.archive} aria-label={`Archive ${name}`}>
      <Group justify="space-between" gap="xs">
        <Text size="sm">
          <strong>Archive “{name}”</strong>: {formatWork(archive, nowMs)}
        </Text>
        {is_testable && (
          <Group gap="xs">
            {state === 'failing' && (
              <Button size="compact-xs" variant="default" loading={retry.isPending} onClick={() => retry.mutate()}>
                Try now
              </Button>
            )}
            <Button
              size="compact-xs"
              variant="default"
              loading={test.isPending || outcome?.kind === 'running'}
              onClick={() => test.mutate()}
            >
              Test connection
            </Button>
          </Group>
        )}
      </Group>
      {reason && (
        <Notice tone="warn" title={sentence(reason.message)} role="status">
          {sentence(reason.remedy)}{' '}
          {failing_since && (
            <>
              Since <Timestamp at={failing_since} />.{' '}
            </>
          )}
          {next_try_at && Date.parse(next_try_at) > nowMs && (
            <>
              Next attempt <Timestamp at={next_try_at} hasDate={false} />.
            </>
          )}
        </Notice>
      )}
      {outcome && <Outcome outcome={outcome} />}
    </section>
  );
}
