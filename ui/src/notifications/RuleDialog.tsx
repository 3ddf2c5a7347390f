// The dialog that adds or changes a rule: what, where, when not, to whom, and with which text.
import {
  Button,
  Checkbox,
  Group,
  Input,
  Modal,
  MultiSelect,
  NumberInput,
  SegmentedControl,
  SimpleGrid,
  Skeleton,
  Stack,
  Switch,
  TagsInput,
  Text,
  Textarea,
  TextInput,
} from '@mantine/core';
import { useForm } from '@mantine/form';
import { notifications } from '@mantine/notifications';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { ApiError } from '../api/http';
import { readRule, type Channel, type RuleFields } from '../api/notifications';
import { ownTimeZone } from '../formatting/timeZone';
import { WeeklyPlanEditor } from '../plans/WeeklyPlanEditor';
import { ConflictNotice } from '../widgets/ConflictNotice';
import { FROZEN_WHILE_EDITING } from '../widgets/editQuery';
import { Failure } from '../widgets/Failure';
import { TimeZoneSelect } from '../widgets/TimeZoneSelect';
import { useAskBeforeClosing, useDirty } from '../widgets/useAskBeforeClosing';
import { useDeviceChoices } from '../widgets/useDeviceChoices';
import { useKnownTags } from '../widgets/useKnownTags';
import { RulePreview } from './RulePreview';
import { EVENT_KINDS, newRule, PLACEHOLDERS, ruleFieldsOf, STATES } from './ruleValues';
import { useNotificationActions } from './useNotifications';

interface RuleFormProps {
  /** null for a new rule. */
  id: string | null;
  channels: Channel[];
  initialValues: RuleFields;
  etag: string | null;
  onReload: () => void;
  onDirty: (isDirty: boolean) => void;
  onClose: () => void;
}

function RuleForm({ id, channels, initialValues, etag, onReload, onDirty, onClose }: RuleFormProps) {
  const { saveOneRule } = useNotificationActions();
  const devices = useDeviceChoices();
  const tags = useKnownTags();
  const [failure, setFailure] = useState<Error | null>(null);
  const [hasConflict, setConflict] = useState(false);
  const [hasQuiet, setQuiet] = useState(Object.keys(initialValues.quiet_hours).length > 0);
  const form = useForm<RuleFields>({
    initialValues,
    validate: { name: (name) => (name.trim() ? null : 'Enter a name') },
  });
  const { values } = form;
  useDirty(form.isDirty(), onDirty);
  const send = async (fields: RuleFields, version: string | null) => {
    setFailure(null);
    try {
      const saved = await saveOneRule.mutateAsync({ id, fields, etag: version });
      notifications.show({ message: `The rule “${saved.name}” was saved.` });
      onClose();
    } catch (error) {
      const placed = error instanceof ApiError ? error.errors : {};
      if (error instanceof ApiError && error.status === 412) setConflict(true);
      else if (Object.keys(placed).some((name) => name in values)) form.setErrors(placed);
      else setFailure(error as Error);
    }
  };
  const words = { acceptValueOnBlur: true, clearable: true, maxTags: 30 } as const;
  return (
    <form noValidate onSubmit={form.onSubmit((fields) => send(fields, etag))}>
      <Stack gap="md">
        {hasConflict && (
          <ConflictNotice noun="rule" onReload={onReload} onOverwrite={() => void send(form.getValues(), null)} />
        )}
        <TextInput
          label="Name"
          placeholder="People at night"
          maxLength={100}
          data-autofocus
          {...form.getInputProps('name')}
        />
        <MultiSelect
          label="Events"
          placeholder={values.kinds.length ? undefined : 'All'}
          data={[...EVENT_KINDS, ...values.kinds.filter((kind) => !EVENT_KINDS.some(({ value }) => value === kind))]}
          searchable
          clearable
          {...form.getInputProps('kinds')}
        />
        <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm">
          <TagsInput
            label="States"
            description="Of streams, recordings, health and jobs"
            placeholder={values.states.length ? undefined : 'All'}
            data={STATES}
            {...words}
            {...form.getInputProps('states')}
          />
          <TagsInput
            label="Labels"
            description="Of detections, such as person"
            placeholder={values.labels.length ? undefined : 'All'}
            {...words}
            {...form.getInputProps('labels')}
          />
          <TagsInput
            label="Zones"
            placeholder={values.zones.length ? undefined : 'All'}
            {...words}
            {...form.getInputProps('zones')}
          />
          <NumberInput
            label="Lowest score"
            placeholder="Any"
            suffix=" %"
            min={0}
            max={100}
            error={form.errors.min_score}
            value={values.min_score === null ? '' : Math.round(values.min_score * 100)}
            onChange={(value) => form.setFieldValue('min_score', value === '' ? null : Number(value) / 100)}
          />
          <MultiSelect
            label="Cameras"
            placeholder={values.device_ids.length ? undefined : 'All'}
            data={devices}
            searchable
            clearable
            {...form.getInputProps('device_ids')}
          />
          <TagsInput
            label="Cameras with a tag"
            placeholder={values.tags.length ? undefined : 'Any'}
            data={tags}
            {...words}
            {...form.getInputProps('tags')}
          />
        </SimpleGrid>
        <SegmentedControl
          fullWidth
          aria-label="Moment"
          value={values.moment}
          onChange={(moment) => form.setFieldValue('moment', moment as RuleFields['moment'])}
          data={[
            { value: 'began', label: 'At once' },
            { value: 'ended', label: 'When it is over' },
          ]}
        />
        <Checkbox.Group label="To" {...form.getInputProps('channel_ids')}>
          <Group gap="md" mt={6}>
            {channels.map((channel) => (
              <Checkbox key={channel.id} value={channel.id} label={channel.name} />
            ))}
            {channels.length === 0 && (
              <Text size="sm" c="dimmed">
                There is no channel yet: add one first.
              </Text>
            )}
          </Group>
        </Checkbox.Group>
        <NumberInput
          label="Cooldown"
          description="After a notification, nothing about the same camera for so long."
          suffix=" s"
          min={0}
          max={86_400}
          {...form.getInputProps('cooldown_seconds')}
        />
        <Switch
          label="Quiet hours"
          checked={hasQuiet}
          onChange={(event) => {
            setQuiet(event.currentTarget.checked);
            if (!event.currentTarget.checked) form.setFieldValue('quiet_hours', {});
          }}
        />
        {hasQuiet && (
          <Input.Wrapper label="Nothing is sent at these times">
            <WeeklyPlanEditor
              value={values.quiet_hours}
              onChange={(plan) => form.setFieldValue('quiet_hours', plan)}
              error={form.errors.quiet_hours as string | undefined}
            />
          </Input.Wrapper>
        )}
        <TimeZoneSelect
          value={values.time_zone}
          onChange={(zone) => form.setFieldValue('time_zone', zone)}
          error={form.errors.time_zone}
          description="Of quiet hours, and of times in texts."
        />
        <TextInput label="Title" {...form.getInputProps('title')} />
        <Textarea
          label="Text"
          description={`Placeholders: ${PLACEHOLDERS.map((name) => `{${name}}`).join(' ')}`}
          autosize
          minRows={2}
          maxRows={6}
          {...form.getInputProps('text')}
        />
        <Switch label="With a picture" {...form.getInputProps('picture', { type: 'checkbox' })} />
        <Switch label="Enabled" {...form.getInputProps('enabled', { type: 'checkbox' })} />
        <RulePreview fields={values} />
        {failure && <Failure title="The rule was not saved" error={failure} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={saveOneRule.isPending}>
            {id === null ? 'Add rule' : 'Save'}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

interface RuleDialogProps {
  /** 'new', the id of the rule to change, or null while closed. */
  edited: string | null;
  channels: Channel[];
  onClose: () => void;
}

export function RuleDialog({ edited, channels, onClose }: RuleDialogProps) {
  const id = edited === 'new' ? null : edited;
  const { data, error, refetch } = useQuery({
    queryKey: ['rule-to-edit', id],
    queryFn: ({ signal }) => readRule(id ?? '', signal),
    enabled: id !== null,
    ...FROZEN_WHILE_EDITING,
  });
  const { close, onDirty } = useAskBeforeClosing(onClose);
  const common = { id, channels, onReload: () => void refetch(), onDirty, onClose };
  return (
    <Modal
      opened={edited !== null}
      onClose={close}
      title={edited === 'new' ? 'New rule' : 'Edit rule'}
      size="lg"
      centered
      radius="md"
    >
      {edited === 'new' && <RuleForm {...common} initialValues={newRule(ownTimeZone())} etag={null} />}
      {id !== null && error && !data && <Failure title="The rule could not be loaded" error={error} />}
      {id !== null && !data && !error && <Skeleton height={420} />}
      {id !== null && data && (
        <RuleForm key={data.etag ?? 'rule'} {...common} initialValues={ruleFieldsOf(data.item)} etag={data.etag} />
      )}
    </Modal>
  );
}
