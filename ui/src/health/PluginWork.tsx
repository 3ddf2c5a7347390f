// The work of a plugin beside streams: what is wrong with it, its services, schedules, jobs and data.
import { Skeleton, Stack, Text } from '@mantine/core';
import type { PluginSchedule, PluginService } from '../api/plugins';
import { formatBytes } from '../formatting/amounts';
import { formatLength } from '../formatting/moments';
import { sentence } from '../formatting/sentence';
import { Failure } from '../widgets/Failure';
import { Notice } from '../widgets/Notice';
import { Timestamp } from '../widgets/Timestamp';
import { PluginJobs } from './PluginJobs';
import { usePluginWork } from './usePluginWork';
import classes from './PluginTable.module.css';

const STATES = { starting: 'Starting', running: 'Running', pausing: 'Waiting to be started again', done: 'Done' };

function Service({ service }: { service: PluginService }) {
  const { state, since, error, cpu_percent: cpu, memory_bytes: memory, restarts } = service;
  return (
    <li>
      <strong>{service.name}</strong>
      {': '}
      {state ? STATES[state] : 'Not running'}
      {state && since && (
        <>
          {' since '}
          <Timestamp at={since} />
        </>
      )}
      {memory !== null && `, ${formatBytes(memory)} of memory`}
      {cpu !== null && `, ${cpu.toFixed(1)} % of a core`}
      {restarts > 0 && `, restarted ${restarts === 1 ? 'once' : `${restarts} times`}`}
      {error && <div className={classes.error}>{sentence(error)}</div>}
    </li>
  );
}

function Schedule({ schedule }: { schedule: PluginSchedule }) {
  const { is_running, started_at, next_at, error } = schedule;
  return (
    <li>
      <strong>{schedule.name}</strong>
      {`: every ${formatLength(schedule.every_seconds * 1000)}`}
      {is_running && ', runs now'}
      {started_at && (
        <>
          {', last run '}
          <Timestamp at={started_at} />
        </>
      )}
      {next_at && !is_running && (
        <>
          {', next '}
          <Timestamp at={next_at} />
        </>
      )}
      {error && <div className={classes.error}>{sentence(error)}</div>}
    </li>
  );
}

export function PluginWork({ name }: { name: string }) {
  const { data, error, refetch } = usePluginWork(name);
  if (error && !data)
    return <Failure title="The plugin's work could not be loaded" error={error} onRetry={() => void refetch()} />;
  if (!data) return <Skeleton height={64} />;
  return (
    <Stack gap="xs" mt="xs">
      {data.work_problems.map((problem) => (
        <Notice key={problem.reason} tone="warn" title={sentence(problem.reason)}>
          {sentence(problem.remedy)}
        </Notice>
      ))}
      {data.services.length > 0 && (
        <ul className={classes.work} aria-label={`Services of ${name}`}>
          {data.services.map((service) => (
            <Service key={service.name} service={service} />
          ))}
        </ul>
      )}
      {data.schedules.length > 0 && (
        <ul className={classes.work} aria-label={`Schedules of ${name}`}>
          {data.schedules.map((schedule) => (
            <Schedule key={schedule.name} schedule={schedule} />
          ))}
        </ul>
      )}
      {data.jobs.map(({ kind, title }) => (
        <PluginJobs key={kind} kind={kind} title={title} />
      ))}
      {(data.tables.length > 0 || data.folder_bytes !== null) && (
        <Text size="xs" c="dimmed">
          {data.tables.length > 0 && `Tables: ${data.tables.join(', ')}. `}
          {data.folder_bytes !== null && `Files: ${formatBytes(data.folder_bytes)}.`}
        </Text>
      )}
    </Stack>
  );
}
