// A camera's recent exports: progress, the file, or what went wrong.
import { Button, Text } from '@mantine/core';
import { useState } from 'react';
import { useExports } from '../hooks/useExports';
import { ExportRow } from './ExportRow';
import { Failure } from './Failure';
import classes from './RangePanel.module.css';

const SHOWN = 4;

export function ExportList({ deviceId, timeZone }: { deviceId: string; timeZone: string }) {
  const { data, error, refetch } = useExports(deviceId);
  const [isWhole, setWhole] = useState(false);
  if (error && !data) return <Failure title="The exports could not be read" error={error} onRetry={() => void refetch()} />;
  if (!data || data.length === 0) return null;
  return (
    <div className={classes.exports}>
      <Text component="h3" size="sm" fw={600}>
        Exports
      </Text>
      <ul className={classes.list}>
        {data.slice(0, isWhole ? undefined : SHOWN).map((job) => (
          <ExportRow key={job.id} job={job} deviceId={deviceId} timeZone={timeZone} />
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
