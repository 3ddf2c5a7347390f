// A camera's recent jobs of one kind, each with its progress, its file or its error.
import { Button, Text } from '@mantine/core';
import { useState } from 'react';
import { useJobs, type FileJobKind } from './useJobs';
import { Failure } from '../widgets/Failure';
import { JobRow } from './JobRow';
import classes from './JobList.module.css';

const SHOWN = 4;

interface JobListProps {
  kind: FileJobKind;
  title: string;
  deviceId: string;
  timeZone: string;
}

export function JobList({ kind, title, deviceId, timeZone }: JobListProps) {
  const { data, error, refetch } = useJobs(kind, deviceId);
  const [isWhole, setWhole] = useState(false);
  if (error && !data)
    return (
      <Failure title={`The ${title.toLowerCase()} could not be loaded`} error={error} onRetry={() => void refetch()} />
    );
  if (!data || data.length === 0) return null;
  return (
    <div className={classes.jobs}>
      <Text component="h3" size="sm" fw={600}>
        {title}
      </Text>
      <ul className={classes.list}>
        {data.slice(0, isWhole ? undefined : SHOWN).map((job) => (
          <JobRow key={job.id} job={job} kind={kind} deviceId={deviceId} timeZone={timeZone} />
        ))}
      </ul>
      {data.length > SHOWN && (
        <Button size="compact-xs" variant="subtle" onClick={() => setWhole(!isWhole)}>
          {isWhole ? 'Show fewer' : `Show all ${data.length}`}
        </Button>
      )}
    </div>
  );
}
