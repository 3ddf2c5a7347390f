// The dialog that creates a time-lapse: source, time range, duration, frame rate and resolution.
import { Button, Group, Modal, NumberInput, Radio, Select, SimpleGrid, Stack, Text, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { notifications } from '@mantine/notifications';
import { useState } from 'react';
import { ApiError } from '../api/http';
import type { TimeLapseSource } from '../api/schedules';
import { useFullscreenTarget } from '../widgets/useFullscreenTarget';
import { useSchedules } from './useSchedules';
import { useStartTimeLapse } from '../jobs/useStartJob';
import type { TimeRange } from '../timeline/model';
import { Failure } from '../widgets/Failure';
import { scheduleTitle } from './scheduleValues';
import { sentence } from '../formatting/sentence';
import {
  firstTimeLapse,
  timeLapseRequestOf,
  timeLapseRules,
  formatTimeLapse,
  type TimeLapseValues,
} from './timeLapseValues';

interface TimeLapseDialogProps {
  deviceId: string;
  timeZone: string;
  range: TimeRange;
  source?: TimeLapseSource;
  onStarted?: () => void;
  onClose: () => void;
}

const WIDTHS = [
  { value: '', label: 'Original' },
  { value: '1920', label: '1920 px wide' },
  { value: '1280', label: '1280 px wide' },
  { value: '640', label: '640 px wide' },
];
const RATES = ['10', '15', '25', '30', '50', '60'].map((rate) => ({ value: rate, label: `${rate} fps` }));
const FIELDS: Record<string, string> = {
  start: 'from',
  end: 'to',
  length_seconds: 'length_seconds',
  speed: 'length_seconds',
  fps: 'fps',
  width: 'width',
  source: 'source',
};

export function TimeLapseDialog({
  deviceId,
  timeZone,
  range,
  source = 'recordings',
  onStarted,
  onClose,
}: TimeLapseDialogProps) {
  const start = useStartTimeLapse(deviceId);
  const schedules = useSchedules(deviceId).data ?? [];
  const [failure, setFailure] = useState<Error | null>(null);
  const [now] = useState(() => Date.now());
  const form = useForm<TimeLapseValues>({
    initialValues: firstTimeLapse(timeZone, range, source),
    validate: timeLapseRules(timeZone, now),
  });
  const send = async (values: TimeLapseValues) => {
    setFailure(null);
    try {
      await start.mutateAsync(timeLapseRequestOf(timeZone, values));
      notifications.show({ message: 'The time-lapse is being created. It appears in the list of time-lapses.' });
      onClose();
      onStarted?.();
    } catch (error) {
      const placed =
        error instanceof ApiError
          ? Object.entries(error.errors).flatMap(([field, text]) =>
              FIELDS[field] ? [[FIELDS[field], sentence(text)]] : [],
            )
          : [];
      if (placed.length > 0) form.setErrors(Object.fromEntries(placed) as Record<string, string>);
      else setFailure(error as Error);
    }
  };
  const summary = formatTimeLapse(timeZone, form.values);
  return (
    <Modal
      opened
      onClose={onClose}
      title="Create time-lapse"
      size={560}
      centered
      radius="md"
      portalProps={useFullscreenTarget()}
    >
      <form noValidate onSubmit={form.onSubmit(send)}>
        <Stack gap="md">
          <Radio.Group label="Source" {...form.getInputProps('source')}>
            <Stack gap="xs" mt={6}>
              <Radio
                value="recordings"
                size="sm"
                label="Recordings"
                description="Everything recorded in this time range"
              />
              <Radio
                value="snapshots"
                size="sm"
                label="Snapshots"
                description="Each snapshot in this time range becomes one frame"
              />
            </Stack>
          </Radio.Group>
          {form.values.source === 'snapshots' && schedules.length > 0 && (
            <Select
              label="Schedule"
              data={[
                { value: '', label: 'All snapshots' },
                ...schedules.map((schedule) => ({
                  value: String(schedule.id),
                  label: `Only “${scheduleTitle(schedule)}”`,
                })),
              ]}
              allowDeselect={false}
              {...form.getInputProps('schedule')}
            />
          )}
          <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm">
            <TextInput type="datetime-local" step={1} label="From" {...form.getInputProps('from')} />
            <TextInput type="datetime-local" step={1} label="To" {...form.getInputProps('to')} />
          </SimpleGrid>
          <Text size="xs" c="dimmed" mt={-8}>
            Time zone: {timeZone}.
          </Text>
          <SimpleGrid cols={{ base: 2, xs: 3 }} spacing="sm">
            <NumberInput
              label="Duration"
              suffix=" s"
              min={1}
              allowNegative={false}
              clampBehavior="none"
              data-autofocus
              {...form.getInputProps('length_seconds')}
            />
            <Select label="Frame rate" data={RATES} allowDeselect={false} {...form.getInputProps('fps')} />
            <Select label="Resolution" data={WIDTHS} allowDeselect={false} {...form.getInputProps('width')} />
          </SimpleGrid>
          <Text size="sm" c="dimmed" mih={22} aria-live="polite">
            {summary}
          </Text>
          {failure && <Failure title="The time-lapse was not started" error={failure} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={start.isPending}>
              Create
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
