// A camera's snapshot schedules.
import { Button, Skeleton, Text } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useState } from 'react';
import { useNow } from '../widgets/useNow';
import { useScheduleActions, useSchedules } from './useSchedules';
import { Failure } from '../widgets/Failure';
import { Panel } from '../widgets/Panel';
import { ScheduleDialog } from './ScheduleDialog';
import { ScheduleRow } from './ScheduleRow';
import classes from './Schedules.module.css';

export function SchedulePanel({ deviceId, timeZone }: { deviceId: string; timeZone: string }) {
  const { data, error, refetch } = useSchedules(deviceId);
  const { toggle, askToDelete } = useScheduleActions();
  const [edited, setEdited] = useState<number | 'new' | null>(null);
  const nowMs = useNow(1_000);
  const add = (
    <Button
      size="xs"
      variant={data?.length ? 'default' : 'filled'}
      leftSection={<IconPlus size={15} />}
      onClick={() => setEdited('new')}
    >
      Add schedule
    </Button>
  );
  return (
    <Panel title="Schedules" end={data && data.length > 0 && add}>
      {error && !data && (
        <Failure title="The schedules could not be loaded" error={error} onRetry={() => void refetch()} />
      )}
      {!data && !error && <Skeleton height={90} />}
      {data?.length === 0 && (
        <div className={classes.empty}>
          <Text size="sm" c="dimmed">
            A schedule takes snapshots at an interval or at times of day, and deletes old ones. Examples: the progress
            of a building site, a shelf at closing time.
          </Text>
          {add}
        </div>
      )}
      {data && data.length > 0 && (
        <ul className={classes.list} aria-label="Schedules">
          {data.map((schedule) => (
            <ScheduleRow
              key={schedule.id}
              schedule={schedule}
              nowMs={nowMs}
              isBusy={toggle.isPending && toggle.variables.id === schedule.id}
              onToggle={() => toggle.mutate(schedule)}
              onEdit={() => setEdited(schedule.id)}
              onDelete={() => askToDelete(schedule)}
            />
          ))}
        </ul>
      )}
      <ScheduleDialog deviceId={deviceId} timeZone={timeZone} edited={edited} onClose={() => setEdited(null)} />
    </Panel>
  );
}
