// One export: how far it is, the file it made, or why it failed.
import { ActionIcon, Button, Progress, Text, Tooltip } from '@mantine/core';
import { IconDownload, IconTrash, IconX } from '@tabler/icons-react';
import { isUnfinished, jobResultUrl, type Job } from '../api/jobs';
import { useExportControl } from '../hooks/useExports';
import { formatLength, formatMoment } from '../timeline/words';
import { formatBytes } from './amounts';
import { formatDateTime } from './moments';
import { sentence } from './sentence';
import classes from './RangePanel.module.css';

interface ExportRowProps {
  job: Job;
  deviceId: string;
  timeZone: string;
}

function titleOf({ result, created_at }: Job, timeZone: string): string {
  if (!result) return `Asked for ${formatDateTime(created_at)}`;
  const [start, end] = [Date.parse(result.start), Date.parse(result.end)];
  return `${formatMoment(timeZone, start)}, ${formatLength(end - start)}`;
}

/** "Waiting", or what it does and how far it is. */
function stageOf(job: Job): string {
  if (job.state === 'queued') return 'Waiting for a free worker';
  return `${sentence(job.stage ?? 'working').replace(/\.$/, '')}, ${Math.floor(job.progress * 100)} %`;
}

export function ExportRow({ job, deviceId, timeZone }: ExportRowProps) {
  const { cancel, remove } = useExportControl(deviceId);
  const { result, error, state } = job;
  const title = titleOf(job, timeZone);
  return (
    <li className={classes.job} data-state={state}>
      <div className={classes.jobHead}>
        <div className={classes.jobWords}>
          <div className={classes.jobTitle}>{title}</div>
          {state === 'done' && result && (
            <Text size="xs" c="dimmed">
              {formatBytes(result.size)}
              {job.expires_at && `, there until ${formatDateTime(job.expires_at)}`}
            </Text>
          )}
          {state === 'cancelled' && (
            <Text size="xs" c="dimmed">
              Cancelled
            </Text>
          )}
          {state === 'failed' && (
            <Text size="xs" c="var(--vas-bad)">
              {error ? `${sentence(error.message)}${error.remedy ? ` ${sentence(error.remedy)}` : ''}` : 'It failed; the log of the jobs process says why.'}
            </Text>
          )}
          {isUnfinished(job) && (
            <Text size="xs" c="dimmed" aria-live="polite">
              {stageOf(job)}
            </Text>
          )}
        </div>
        {state === 'done' && (
          <Button component="a" href={jobResultUrl(job.id)} download={result?.name ?? true} size="xs" variant="light" leftSection={<IconDownload size={15} />}>
            Download
          </Button>
        )}
        {isUnfinished(job) ? (
          <Tooltip label="Cancel">
            <ActionIcon variant="subtle" color="gray" aria-label={`Cancel the export: ${title}`} loading={cancel.isPending} onClick={() => cancel.mutate(job.id)}>
              <IconX size={17} />
            </ActionIcon>
          </Tooltip>
        ) : (
          <Tooltip label="Remove">
            <ActionIcon variant="subtle" color="gray" aria-label={`Remove the export: ${title}`} loading={remove.isPending} onClick={() => remove.mutate(job.id)}>
              <IconTrash size={16} stroke={1.7} />
            </ActionIcon>
          </Tooltip>
        )}
      </div>
      {isUnfinished(job) && <Progress value={job.progress * 100} size="sm" animated={state === 'running'} aria-label={`Progress of the export: ${title}`} />}
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
