// The newest jobs of one kind of a plugin, with their progress or error; each can be cancelled or tried again.
import { Button, Text } from '@mantine/core';
import { isUnfinished, type Job } from '../api/jobs';
import { sentence } from '../formatting/sentence';
import { Timestamp } from '../widgets/Timestamp';
import { usePluginJobs } from './usePluginWork';
import classes from './PluginTable.module.css';

const SHOWN = 5;

function stateOf(job: Job): string {
  if (job.state === 'running') return `${sentence(job.stage ?? 'working')} ${Math.floor(job.progress * 100)} %`;
  return { queued: 'Waiting for a free worker', done: 'Done', failed: 'Failed', cancelled: 'Cancelled' }[job.state];
}

export function PluginJobs({ kind, title }: { kind: string; title: string }) {
  const { jobs, cancel, retry } = usePluginJobs(kind);
  const shown = jobs.data?.slice(0, SHOWN) ?? [];
  return (
    <div>
      <Text size="sm" fw={600}>
        {title}
      </Text>
      {shown.length === 0 && (
        <Text size="sm" c="dimmed">
          {jobs.error ? 'The jobs could not be loaded.' : 'There are no jobs of this kind.'}
        </Text>
      )}
      <ul className={classes.work} aria-label={`Jobs: ${title}`}>
        {shown.map((job) => (
          <li key={job.id}>
            <Timestamp at={job.created_at} />
            {job.device_name && `, ${job.device_name}`}
            {`: ${stateOf(job)}`}
            {isUnfinished(job) ? (
              <Button size="compact-xs" variant="subtle" ml="xs" onClick={() => cancel.mutate(job.id)}>
                Cancel
              </Button>
            ) : (
              job.state !== 'done' && (
                <Button size="compact-xs" variant="subtle" ml="xs" onClick={() => retry.mutate(job.id)}>
                  Try again
                </Button>
              )
            )}
            {job.error && (
              <div className={classes.error}>
                {sentence(job.error.message)} {job.error.remedy && sentence(job.error.remedy)}
              </div>
            )}
          </li>
        ))}
      </ul>
    </div>
  );
}
