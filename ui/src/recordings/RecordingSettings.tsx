// The form of one camera's recording settings: mode, time zone and retention.
import { Box, Button, Group, NumberInput, Radio, SimpleGrid, Stack, Switch, Text } from '@mantine/core';
import { useForm } from '@mantine/form';
import { Fragment, useState, type ReactNode } from 'react';
import { ApiError } from '../api/http';
import { readExpiring } from '../api/recordings';
import type { ExpiringFootage, Recording, RecordingSettings as Settings } from '../api/recordingTypes';
import { formatBytes } from '../formatting/amounts';
import { formatShortMoment, formatSpan } from '../formatting/moments';
import { askFirst } from '../widgets/askFirst';
import { Failure } from '../widgets/Failure';
import { Notice } from '../widgets/Notice';
import { Panel } from '../widgets/Panel';
import { useUnsavedGuard } from '../widgets/useUnsavedGuard';
import { useShownZone } from '../widgets/useShownZone';
import { formatRetention } from './retentionText';
import { isSame, useExpiring, type TriedLimits } from './useExpiring';
import { useSharedLimit } from './useStorageStatistics';
import {
  RECORDING_FIELDS,
  recordingFieldSentence,
  recordingRules,
  recordingSettingsOf,
  recordingValuesOf,
  type RecordingValues,
} from './recordingValues';
import { TimeZoneSelect } from '../widgets/TimeZoneSelect';
import { WeeklyPlanEditor } from '../plans/WeeklyPlanEditor';

interface RecordingSettingsProps {
  recording: Recording;
  notice?: ReactNode;
  onSubmit: (settings: Settings) => Promise<void>;
  onCancel: () => void;
}

const MODES = [
  { value: 'continuous', label: 'Continuous', description: 'Records everything the camera sends, day and night.' },
  { value: 'scheduled', label: 'Weekly plan', description: 'Records only at the times planned below.' },
  {
    value: 'event',
    label: 'On events',
    description: 'Records from some seconds before an event until some time after it. Any system may report events.',
  },
  { value: 'off', label: 'Off', description: 'Records nothing unless recording is started manually.' },
];

export function RecordingSettings({ recording, notice, onSubmit, onCancel }: RecordingSettingsProps) {
  const [failure, setFailure] = useState<Error | null>(null);
  const [isSending, setSending] = useState(false);
  const form = useForm<RecordingValues>({ initialValues: recordingValuesOf(recording), validate: recordingRules });
  const letPass = useUnsavedGuard(form.isDirty());
  const { mode } = form.values;

  const place = (error: ApiError): Error | null => {
    const placed: Record<string, string> = {};
    for (const [field, text] of Object.entries(error.errors)) {
      if (RECORDING_FIELDS.includes(field)) placed[field] = recordingFieldSentence(text);
    }
    const named = /^'(\w+)'/.exec(error.message)?.[1];
    if (Object.keys(placed).length === 0 && named && RECORDING_FIELDS.includes(named))
      placed[named] = recordingFieldSentence(error.message);
    if (Object.keys(placed).length === 0) return error;
    form.setErrors(placed);
    document.querySelector<HTMLElement>(`[data-path="${Object.keys(placed)[0]}"]`)?.focus();
    // A field that is hidden in this mode cannot show its error: the form shows it.
    return Object.keys(placed).some((field) => isShown(field, mode)) ? null : error;
  };
  const limits = limitsOf(form.values);
  const expiring = useExpiring(recording, limits);
  const sharedBytes = useSharedLimit(recording.retention);
  const isAgreed = async (settings: Settings): Promise<boolean> => {
    if (isSame(settings, recording)) return true;
    const loss = await readExpiring(recording.device_id, settings);
    if (loss.bytes === 0) return true;
    return askFirst({
      title: 'Delete older footage?',
      text: (
        <Text size="sm">
          <ExpiringText {...loss} timeZone={recording.time_zone} /> It is deleted within seconds. This cannot be undone.
        </Text>
      ),
      confirm: `Save and delete ${formatBytes(loss.bytes)}`,
      cancel: 'Keep it',
    });
  };
  const send = async (values: RecordingValues) => {
    setFailure(null);
    setSending(true);
    letPass(true);
    try {
      const settings = recordingSettingsOf(values);
      if (await isAgreed(settings)) await onSubmit(settings);
    } catch (error) {
      setFailure(error instanceof ApiError ? place(error) : (error as Error));
    } finally {
      letPass(false);
      setSending(false);
    }
  };
  const seconds = { suffix: ' s', min: 0, allowDecimal: false, allowNegative: false, clampBehavior: 'none' } as const;
  const { retention } = recording;
  const hasArchive = recording.archived_by !== null || recording.archived_bytes > 0;
  const describeDefault = (own: number | null, limit: string | null) =>
    own === null
      ? `Empty: the default for all cameras, ${limit ?? 'no limit'}.`
      : 'Empty: the default for all cameras.';

  return (
    <form noValidate onSubmit={form.onSubmit(send)}>
      <Stack gap="md" maw={880}>
        {notice}
        <Panel title="Recording mode">
          <Radio.Group aria-label="Recording mode" {...form.getInputProps('mode')}>
            <Stack gap="sm">
              {MODES.map((choice) => (
                <Fragment key={choice.value}>
                  <Radio {...choice} />
                  {choice.value === 'event' && mode === 'event' && (
                    <SimpleGrid cols={{ base: 1, xs: 2 }} ml={{ base: 0, xs: 32 }} maw={480}>
                      <NumberInput
                        label="Before the event"
                        description="Limited by the buffer."
                        {...seconds}
                        {...form.getInputProps('pre_roll_seconds')}
                      />
                      <NumberInput
                        label="After the event"
                        description="Counted from the end of the event."
                        {...seconds}
                        {...form.getInputProps('post_roll_seconds')}
                      />
                    </SimpleGrid>
                  )}
                  {choice.value === 'scheduled' && mode === 'scheduled' && (
                    <WeeklyPlanEditor
                      value={form.values.plan}
                      onChange={(plan) => form.setFieldValue('plan', plan)}
                      error={form.errors.plan as string | undefined}
                    />
                  )}
                </Fragment>
              ))}
            </Stack>
          </Radio.Group>
        </Panel>
        <Panel title="Clock">
          <TimeZoneSelect
            value={form.values.time_zone}
            onChange={(zone) => form.setFieldValue('time_zone', zone)}
            error={form.errors.time_zone}
            description="The time zone of the camera. Its days and its weekly plan follow this clock, including summer time."
          />
        </Panel>
        <Panel title="Retention">
          <Text size="sm" c="dimmed" mb="sm">
            Now: {formatRetention(retention, sharedBytes)}. Retention never deletes protected ranges.
          </Text>
          <SimpleGrid cols={{ base: 1, xs: 2 }} maw={620}>
            <NumberInput
              label="Days"
              description={describeDefault(
                recording.keep_days,
                retention.keep_days ? `${retention.keep_days} days` : null,
              )}
              suffix=" days"
              min={0}
              allowDecimal={false}
              allowNegative={false}
              clampBehavior="none"
              {...form.getInputProps('keep_days')}
            />
            <NumberInput
              label="Size"
              description={describeDefault(
                recording.keep_bytes,
                retention.keep_bytes ? `${Number((retention.keep_bytes / 1e9).toFixed(1))} GB` : null,
              )}
              suffix=" GB"
              min={0}
              decimalScale={3}
              allowNegative={false}
              clampBehavior="none"
              {...form.getInputProps('keep_bytes')}
            />
          </SimpleGrid>
          {hasArchive && (
            <SimpleGrid cols={{ base: 1, xs: 2 }} maw={620} mt="md">
              <NumberInput
                label="Days in the archive"
                description={describeDefault(
                  recording.archive_keep_days,
                  retention.archive_keep_days ? `${retention.archive_keep_days} days` : null,
                )}
                suffix=" days"
                min={0}
                allowDecimal={false}
                allowNegative={false}
                clampBehavior="none"
                {...form.getInputProps('archive_keep_days')}
              />
              <Switch
                label="Wait for the copy"
                description="Footage stays on the disk until the archive has a verified copy, unless the disk is full."
                {...form.getInputProps('waits_for_copy', { type: 'checkbox' })}
              />
            </SimpleGrid>
          )}
          {expiring && expiring.bytes === 0 && expiring.waiting_bytes > 0 && (
            <Text size="sm" mt="sm" role="status">
              {formatBytes(expiring.waiting_bytes)} beyond these limits stay on the disk until the archive has a copy.
            </Text>
          )}
          {expiring && expiring.bytes > 0 && (
            <Box mt="sm" maw={620} role="status">
              <Notice tone="warn" title="Saving deletes footage">
                <ExpiringText {...expiring} timeZone={recording.time_zone} />
              </Notice>
            </Box>
          )}
        </Panel>
        {failure && <Failure title="The recording settings were not saved" error={failure} />}
        <Group>
          <Button type="submit" loading={isSending}>
            Save
          </Button>
          <Button variant="default" onClick={onCancel}>
            Cancel
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

/** The limits in the form as the server understands them; null while a field is not valid. */
function limitsOf(values: RecordingValues): TriedLimits | null {
  const { keep_days, keep_bytes, archive_keep_days, waits_for_copy } = recordingSettingsOf(values);
  const isValid =
    recordingRules.keep_days(values.keep_days) === null &&
    recordingRules.keep_bytes(values.keep_bytes) === null &&
    recordingRules.archive_keep_days(values.archive_keep_days) === null;
  return isValid ? { keep_days, keep_bytes, archive_keep_days, waits_for_copy } : null;
}

function ExpiringText({ bytes, seconds, days, oldest, newest, timeZone }: ExpiringFootage & { timeZone: string }) {
  const zone = useShownZone(timeZone);
  return (
    <>
      About {formatBytes(bytes)} of {days} {days === 1 ? 'day' : 'days'} are beyond these limits:{' '}
      {formatSpan(seconds * 1000)} of footage
      {oldest && newest && `, from ${formatShortMoment(oldest, zone)} to ${formatShortMoment(newest, zone)}`}.
    </>
  );
}

function isShown(field: string, mode: string): boolean {
  if (field === 'plan') return mode === 'scheduled';
  if (field === 'pre_roll_seconds' || field === 'post_roll_seconds') return mode === 'event';
  return true;
}
