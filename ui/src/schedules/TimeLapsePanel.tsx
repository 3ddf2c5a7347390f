// A camera's time-lapses, with a button that creates one.
import { Button, Text } from '@mantine/core';
import { IconPlayerTrackNext } from '@tabler/icons-react';
import { useState } from 'react';
import { useJobs } from '../jobs/useJobs';
import { DAY_MS, type TimeRange } from '../timeline/model';
import { JobList } from '../jobs/JobList';
import { Panel } from '../widgets/Panel';
import { TimeLapseDialog } from './TimeLapseDialog';

export function TimeLapsePanel({
  deviceId,
  timeZone,
  hasSchedules,
}: {
  deviceId: string;
  timeZone: string;
  hasSchedules: boolean;
}) {
  const [range, setRange] = useState<TimeRange | null>(null);
  const { data } = useJobs('time_lapse', deviceId);
  const openForLastDay = () => setRange({ startMs: Date.now() - DAY_MS, endMs: Date.now() });
  return (
    <Panel
      title="Time-lapse"
      end={
        <Button size="xs" variant="default" leftSection={<IconPlayerTrackNext size={15} />} onClick={openForLastDay}>
          Create time-lapse
        </Button>
      }
    >
      <Text size="sm" c="dimmed">
        A day in half a minute as an MP4 file, from recordings or from snapshots.
        {data && data.length > 0 ? ' Files are kept for one day.' : ''}
      </Text>
      <JobList kind="time_lapse" title="Time-lapses" deviceId={deviceId} timeZone={timeZone} />
      {range && (
        <TimeLapseDialog
          deviceId={deviceId}
          timeZone={timeZone}
          range={range}
          source={hasSchedules ? 'snapshots' : 'recordings'}
          onClose={() => setRange(null)}
        />
      )}
    </Panel>
  );
}
