// A camera's snapshot schedules, and the actions on one: save, enable or disable, delete.
import { Text } from '@mantine/core';
import { modals } from '@mantine/modals';
import { notifications } from '@mantine/notifications';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import {
  createSchedule,
  deleteSchedule,
  listSchedules,
  replaceSchedule,
  type Schedule,
  type ScheduleFields,
} from '../api/schedules';
import { scheduleTitle } from './scheduleValues';
import { scheduleKeys } from '../api/bookmarkKeys';
import { notifyFailure } from '../widgets/notifyFailure';
import { paced } from '../live/liveState';

const interval = paced(10_000, 30_000);

export function useSchedules(deviceId: string) {
  return useQuery({
    queryKey: scheduleKeys.ofDevice(deviceId),
    queryFn: ({ signal }) => listSchedules(deviceId, signal),
    refetchInterval: interval,
  });
}

export function fieldsOfSchedule(schedule: Schedule): ScheduleFields {
  const { device_id, name, enabled, every_seconds, times, weekdays, time_zone, tags, keep_days, keep_count } = schedule;
  return { device_id, name, enabled, every_seconds, times, weekdays, time_zone, tags, keep_days, keep_count };
}

export function useScheduleActions() {
  const client = useQueryClient();
  const refresh = () => client.invalidateQueries({ queryKey: scheduleKeys.all });

  const save = useMutation({
    mutationFn: ({ id, fields, etag }: { id: number | null; fields: ScheduleFields; etag: string | null }) =>
      id === null ? createSchedule(fields) : replaceSchedule(id, fields, etag),
    onSettled: refresh,
  });

  const toggle = useMutation({
    mutationFn: (schedule: Schedule) =>
      replaceSchedule(schedule.id, { ...fieldsOfSchedule(schedule), enabled: !schedule.enabled }, null),
    onError: (error, schedule) => notifyFailure(`“${scheduleTitle(schedule)}” was not changed`, error),
    onSettled: refresh,
  });

  const remove = useMutation({
    mutationFn: (schedule: Schedule) => deleteSchedule(schedule.id),
    onSuccess: (_, schedule) =>
      void notifications.show({ message: `The schedule “${scheduleTitle(schedule)}” was deleted.` }),
    onError: (error, schedule) => notifyFailure(`“${scheduleTitle(schedule)}” was not deleted`, error),
    onSettled: refresh,
  });

  const askToDelete = (schedule: Schedule) =>
    modals.openConfirmModal({
      title: 'Delete this schedule?',
      children: (
        <>
          <Text size="sm" fw={600} style={{ overflowWrap: 'anywhere' }}>
            {scheduleTitle(schedule)}
          </Text>
          <Text size="sm" mt="xs">
            It takes no more snapshots. Its existing snapshots are kept and no longer deleted by its retention limits.
          </Text>
        </>
      ),
      labels: { confirm: 'Delete schedule', cancel: 'Keep it' },
      confirmProps: { color: 'red' },
      onConfirm: () => remove.mutate(schedule),
    });

  return { save, toggle, askToDelete };
}
