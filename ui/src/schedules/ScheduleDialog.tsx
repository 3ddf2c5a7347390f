// The dialog that adds or changes a snapshot schedule: interval or times of day, days, and retention.
import {
  Button,
  Chip,
  Group,
  Input,
  Modal,
  NumberInput,
  SegmentedControl,
  Select,
  SimpleGrid,
  Skeleton,
  Stack,
  Switch,
  TagsInput,
  TextInput,
} from '@mantine/core';
import { useForm } from '@mantine/form';
import { notifications } from '@mantine/notifications';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { ApiError } from '../api/http';
import { readSchedule } from '../api/schedules';
import { useScheduleActions } from './useSchedules';
import { ConflictNotice } from '../widgets/ConflictNotice';
import { Failure } from '../widgets/Failure';
import { FROZEN_WHILE_EDITING } from '../widgets/editQuery';
import { WEEKDAY_NAMES, WEEKDAYS } from '../plans/planSpans';
import {
  newSchedule,
  placeScheduleErrors,
  scheduleFieldsOf,
  scheduleRules,
  scheduleValuesOf,
  tidyTimes,
  EXAMPLE_MINUTES,
  MAX_TIMES,
  type ScheduleUnit,
  type ScheduleValues,
} from './scheduleValues';
import { formatClockOf } from '../formatting/clock';
import { useAskBeforeClosing, useDirty } from '../widgets/useAskBeforeClosing';
import { TimeZoneSelect } from '../widgets/TimeZoneSelect';

const UNITS: { value: ScheduleUnit; label: string }[] = [
  { value: 'seconds', label: 'seconds' },
  { value: 'minutes', label: 'minutes' },
  { value: 'hours', label: 'hours' },
  { value: 'days', label: 'days' },
];

interface ScheduleFormProps {
  deviceId: string;
  /** null for a new schedule. */
  id: number | null;
  initialValues: ScheduleValues;
  etag: string | null;
  onReload: () => void;
  onDirty: (isDirty: boolean) => void;
  onClose: () => void;
}

function ScheduleForm({ deviceId, id, initialValues, etag, onReload, onDirty, onClose }: ScheduleFormProps) {
  const { save } = useScheduleActions();
  const [failure, setFailure] = useState<Error | null>(null);
  const [hasConflict, setConflict] = useState(false);
  const form = useForm<ScheduleValues>({ initialValues, validate: scheduleRules });
  const { timing, weekdays } = form.values;
  useDirty(form.isDirty(), onDirty);
  const send = async (values: ScheduleValues, version: string | null) => {
    setFailure(null);
    try {
      const saved = await save.mutateAsync({ id, fields: scheduleFieldsOf(values, deviceId), etag: version });
      notifications.show({ message: `The schedule “${saved.name}” was saved.` });
      onClose();
    } catch (error) {
      const placed = error instanceof ApiError ? placeScheduleErrors(error.errors) : {};
      if (error instanceof ApiError && error.status === 412) setConflict(true);
      else if (Object.keys(placed).length > 0) form.setErrors(placed);
      else setFailure(error as Error);
    }
  };
  const count = { min: 1, allowDecimal: false, allowNegative: false, clampBehavior: 'none' } as const;
  return (
    <form noValidate onSubmit={form.onSubmit((values) => send(values, etag))}>
      <Stack gap="md">
        {hasConflict && (
          <ConflictNotice noun="schedule" onReload={onReload} onOverwrite={() => void send(form.getValues(), null)} />
        )}
        <TextInput
          label="Name"
          placeholder="Building site, every ten minutes"
          maxLength={100}
          data-autofocus
          {...form.getInputProps('name')}
        />
        <Stack gap={6}>
          <SegmentedControl
            fullWidth
            aria-label="Timing"
            value={timing}
            onChange={(next) => form.setFieldValue('timing', next as ScheduleValues['timing'])}
            data={[
              { value: 'every', label: 'At an interval' },
              { value: 'times', label: 'At times of day' },
            ]}
          />
          {timing === 'every' ? (
            <Group gap="xs" align="flex-start" wrap="nowrap">
              <NumberInput flex={1} aria-label="Every" prefix="Every " {...count} {...form.getInputProps('count')} />
              <Select
                w={130}
                aria-label="Interval unit"
                data={UNITS}
                value={form.values.unit}
                onChange={(unit) => form.setFieldValue('unit', (unit ?? 'minutes') as ScheduleUnit)}
                allowDeselect={false}
              />
            </Group>
          ) : (
            <TagsInput
              aria-label="Times of day"
              placeholder={form.values.times.length ? undefined : [480, 1110].map(formatClockOf).join(', ')}
              description={`Type a time such as ${formatClockOf(EXAMPLE_MINUTES)} and press Enter.`}
              splitChars={[',', ';']}
              maxTags={MAX_TIMES}
              acceptValueOnBlur
              clearable
              {...form.getInputProps('times')}
              onChange={(times) => form.setFieldValue('times', tidyTimes(times))}
            />
          )}
        </Stack>
        <Input.Wrapper
          label="Days"
          description={weekdays.length === 0 ? 'None selected: every day.' : undefined}
          error={form.errors.weekdays}
        >
          <Chip.Group
            multiple
            value={weekdays}
            onChange={(days) => form.setFieldValue('weekdays', days as ScheduleValues['weekdays'])}
          >
            <Group gap={5} mt={6}>
              {WEEKDAYS.map((day, index) => (
                <Chip key={day} value={day} size="xs" radius="sm" styles={{ label: { paddingInline: 10 } }}>
                  {WEEKDAY_NAMES[index]?.slice(0, 3)}
                </Chip>
              ))}
            </Group>
          </Chip.Group>
        </Input.Wrapper>
        {(timing === 'times' || weekdays.length > 0) && (
          <TimeZoneSelect
            value={form.values.time_zone}
            onChange={(zone) => form.setFieldValue('time_zone', zone)}
            error={form.errors.time_zone}
            description="The times and days are in this time zone."
          />
        )}
        <TagsInput
          label="Snapshot tags"
          placeholder={form.values.tags.length ? undefined : 'Type and press Enter'}
          maxTags={20}
          acceptValueOnBlur
          clearable
          {...form.getInputProps('tags')}
        />
        <SimpleGrid cols={2} spacing="sm">
          <NumberInput
            label="Keep for"
            description="Empty: no limit."
            suffix=" days"
            {...count}
            {...form.getInputProps('keep_days')}
          />
          <NumberInput
            label="Keep at most"
            description="Empty: no limit."
            suffix=" snapshots"
            {...count}
            {...form.getInputProps('keep_count')}
          />
        </SimpleGrid>
        <Switch label="Enabled" {...form.getInputProps('enabled', { type: 'checkbox' })} />
        {failure && <Failure title="The schedule was not saved" error={failure} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={save.isPending}>
            {id === null ? 'Add schedule' : 'Save'}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

interface ScheduleDialogProps {
  deviceId: string;
  timeZone: string;
  /** 'new', the id of the schedule to change, or null while closed. */
  edited: number | 'new' | null;
  onClose: () => void;
}

export function ScheduleDialog({ deviceId, timeZone, edited, onClose }: ScheduleDialogProps) {
  const id = typeof edited === 'number' ? edited : null;
  const { data, error, refetch } = useQuery({
    queryKey: ['schedule-to-edit', id],
    queryFn: ({ signal }) => readSchedule(id ?? 0, signal),
    enabled: id !== null,
    ...FROZEN_WHILE_EDITING,
  });
  const { close, onDirty } = useAskBeforeClosing(onClose);
  const common = { deviceId, id, onReload: () => void refetch(), onDirty, onClose };
  return (
    <Modal
      opened={edited !== null}
      onClose={close}
      title={edited === 'new' ? 'New schedule' : 'Edit schedule'}
      centered
      radius="md"
    >
      {edited === 'new' && <ScheduleForm {...common} initialValues={newSchedule(timeZone)} etag={null} />}
      {id !== null && error && !data && <Failure title="The schedule could not be loaded" error={error} />}
      {id !== null && !data && !error && <Skeleton height={420} />}
      {id !== null && data && (
        <ScheduleForm
          key={data.etag ?? 'schedule'}
          {...common}
          initialValues={scheduleValuesOf(data.schedule)}
          etag={data.etag}
        />
      )}
    </Modal>
  );
}
