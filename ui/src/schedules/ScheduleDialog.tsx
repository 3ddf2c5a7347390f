// Adds or changes a schedule of snapshots: how often or when, on which days, and how long they are kept.
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
import { WEEKDAY_NAMES, WEEKDAYS } from '../plans/planSpans';
import {
  newSchedule,
  placeScheduleErrors,
  scheduleFieldsOf,
  scheduleRules,
  scheduleValuesOf,
  tidyTimes,
  FIRST_EXAMPLE,
  MAX_TIMES,
  type ScheduleUnit,
  type ScheduleValues,
} from './scheduleValues';
import { formatClockOf } from '../formatting/clock';
import { TimeZoneSelect } from '../widgets/TimeZoneSelect';

const UNITS: { value: ScheduleUnit; label: string }[] = [
  { value: 'seconds', label: 'seconds' },
  { value: 'minutes', label: 'minutes' },
  { value: 'hours', label: 'hours' },
  { value: 'days', label: 'days' },
];

interface ScheduleFormProps {
  deviceId: string;
  /** null: a new one. */
  id: number | null;
  initialValues: ScheduleValues;
  etag: string | null;
  onReload: () => void;
  onClose: () => void;
}

function ScheduleForm({ deviceId, id, initialValues, etag, onReload, onClose }: ScheduleFormProps) {
  const { save } = useScheduleActions();
  const [failure, setFailure] = useState<Error | null>(null);
  const [hasConflict, setConflict] = useState(false);
  const form = useForm<ScheduleValues>({ initialValues, validate: scheduleRules });
  const { timing, weekdays } = form.values;
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
          <ConflictNotice what="schedule" onReload={onReload} onOverwrite={() => void send(form.getValues(), null)} />
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
            aria-label="When"
            value={timing}
            onChange={(next) => form.setFieldValue('timing', next as ScheduleValues['timing'])}
            data={[
              { value: 'every', label: 'Again and again' },
              { value: 'times', label: 'At times of day' },
            ]}
          />
          {timing === 'every' ? (
            <Group gap="xs" align="flex-start" wrap="nowrap">
              <NumberInput flex={1} aria-label="Every" prefix="Every " {...count} {...form.getInputProps('count')} />
              <Select
                w={130}
                aria-label="Unit of the step"
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
              description={`Type a time such as ${formatClockOf(FIRST_EXAMPLE)} and press Enter.`}
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
          label="On"
          description={weekdays.length === 0 ? 'Every day, as none is chosen.' : undefined}
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
            description="Whose clocks are meant."
          />
        )}
        <TagsInput
          label="Tags of its snapshots"
          placeholder={form.values.tags.length ? undefined : 'Type and press Enter'}
          maxTags={20}
          acceptValueOnBlur
          clearable
          {...form.getInputProps('tags')}
        />
        <SimpleGrid cols={2} spacing="sm">
          <NumberInput
            label="Keep for"
            description="Empty: for good."
            suffix=" days"
            {...count}
            {...form.getInputProps('keep_days')}
          />
          <NumberInput
            label="Keep at most"
            description="Empty: all of them."
            suffix=" snapshots"
            {...count}
            {...form.getInputProps('keep_count')}
          />
        </SimpleGrid>
        <Switch label="Switched on" {...form.getInputProps('enabled', { type: 'checkbox' })} />
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
  /** 'new', the id of one to change, or null: closed. */
  edited: number | 'new' | null;
  onClose: () => void;
}

export function ScheduleDialog({ deviceId, timeZone, edited, onClose }: ScheduleDialogProps) {
  const id = typeof edited === 'number' ? edited : null;
  const { data, error, refetch } = useQuery({
    queryKey: ['schedule-to-edit', id],
    queryFn: ({ signal }) => readSchedule(id ?? 0, signal),
    enabled: id !== null,
    // Never refreshed beneath somebody who types.
    staleTime: Infinity,
    gcTime: 0,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
  });
  const common = { deviceId, id, onReload: () => void refetch(), onClose };
  return (
    <Modal
      opened={edited !== null}
      onClose={onClose}
      title={edited === 'new' ? 'New schedule' : 'Edit schedule'}
      centered
      radius="md"
    >
      {edited === 'new' && <ScheduleForm {...common} initialValues={newSchedule(timeZone)} etag={null} />}
      {id !== null && error && !data && <Failure title="The schedule could not be read" error={error} />}
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
