// One job that produces a file: its progress, the file, or the reason of its failure.
import { ActionIcon, Button, Progress, Text, Tooltip } from '@mantine/core';
import { IconDownload, IconTrash, IconX } from '@tabler/icons-react';
import { isUnfinished, jobResultUrl, type Job } from '../api/jobs';
import { useJobControl, type FileJobKind } from './useJobs';
import { formatMoment } from '../formatting/zonedTimes';
import { formatBytes } from '../formatting/amounts';
import { formatDateTime, formatLength } from '../formatting/moments';
import { sentence } from '../formatting/sentence';
import classes from './JobList.module.css';

interface JobRowProps {
  job: Job;
  kind: FileJobKind;
  deviceId: string;
  timeZone: string;
}

/** The noun for a job's file. */
export const JOB_NOUNS: Record<FileJobKind, string> = { export: 'export', time_lapse: 'time-lapse' };

function titleOf({ kind, result, created_at }: Job, timeZone: string): string {
  if (!result) return `Requested ${formatDateTime(created_at)}`;
  const [start, end] = [Date.parse(result.start), Date.parse(result.end)];
  const span = `${formatMoment(timeZone, start)}, ${formatLength(end - start)}`;
  // A time-lapse is shorter than its range. An export is shorter only by its gaps, which its notes list.
  return kind === 'time_lapse' && result.duration_seconds
    ? `${span} in ${formatLength(result.duration_seconds * 1000)}`
    : span;
}

/** "Waiting for a free worker", or the present stage with its progress. */
function stageOf(job: Job): string {
  if (job.state === 'queued') return 'Waiting for a free worker';
  return `${sentence(job.stage ?? 'working').replace(/\.$/, '')}, ${Math.floor(job.progress * 100)} %`;
}

export function JobRow({ job, kind, deviceId, timeZone }: JobRowProps) {
  const { cancel, remove } = useJobControl(kind, deviceId);
  const noun = JOB_NOUNS[kind];
  const { result, error, state } = job;
  const title = titleOf(job, timeZone);
  return (
    <li className={classes.job} data-state={state}>
      <div className={classes.jobHead}>
        <div className={classes.jobText}>
          <div className={classes.jobTitle}>{title}</div>
          {state === 'done' && result && (
            <Text size="xs" c="dimmed">
              {formatBytes(result.size)}
              {job.expires_at && `, available until ${formatDateTime(job.expires_at)}`}
            </Text>
          )}
          {state === 'cancelled' && (
            <Text size="xs" c="dimmed">
              Cancelled
            </Text>
          )}
          {state === 'failed' && (
            <Text size="xs" c="var(--vas-bad)">
              {error
                ? `${sentence(error.message)}${error.remedy ? ` ${sentence(error.remedy)}` : ''}`
                : 'Failed. The log of the jobs process shows the cause.'}
            </Text>
          )}
          {isUnfinished(job) && (
            <Text size="xs" c="dimmed" aria-live="polite">
              {stageOf(job)}
            </Text>
          )}
        </div>
        {state === 'done' && (
          <Button
            component="a"
            href={jobResultUrl(job.id)}
            download={result?.name ?? true}
            size="xs"
            variant="light"
            leftSection={<IconDownload size={15} />}
          >
            Download
          </Button>
        )}
        {isUnfinished(job) ? (
          <Tooltip label="Cancel">
            <ActionIcon
              variant="subtle"
              color="gray"
              aria-label={`Cancel the ${noun}: ${title}`}
              loading={cancel.isPending}
              onClick={() => cancel.mutate(job.id)}
            >
              <IconX size={17} />
            </ActionIcon>
          </Tooltip>
        ) : (
          <Tooltip label="Remove">
            <ActionIcon
              variant="subtle"
              color="gray"
              aria-label={`Remove the ${noun}: ${title}`}
              loading={remove.isPending}
              onClick={() => remove.mutate(job.id)}
            >
              <IconTrash size={16} stroke={1.7} />
            </ActionIcon>
          </Tooltip>
        )}
      </div>
      {isUnfinished(job) && (
        <Progress
          value={job.progress * 100}
          size="sm"
          animated={state === 'running'}
          aria-label={`Progress of the ${noun}: ${title}`}
        />
      )}
      {state === 'done' && result && result.notes.length > 0 && (
        <ul className={classes.notes}>
          {result.notes.map((note) => (
            <li key={note}>{sentence(note)}</li>
          ))}
        </ul>
      )}
    </li>
  );
}
