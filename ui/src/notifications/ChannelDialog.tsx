// The dialog that adds or changes a channel.
import { Button, Group, Modal, Select, Skeleton, Stack, Switch, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { notifications } from '@mantine/notifications';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { ApiError } from '../api/http';
import { readChannel } from '../api/notifications';
import { ConflictNotice } from '../widgets/ConflictNotice';
import { FROZEN_WHILE_EDITING } from '../widgets/editQuery';
import { Failure } from '../widgets/Failure';
import { useAskBeforeClosing, useDirty } from '../widgets/useAskBeforeClosing';
import {
  CHANNEL_KINDS,
  channelFieldsOf,
  channelValuesOf,
  newChannel,
  placeChannelErrors,
  type ChannelValues,
} from './channelValues';
import { MailFields } from './MailFields';
import { MqttFields } from './MqttFields';
import { useNotificationActions } from './useNotifications';
import { WebhookFields } from './WebhookFields';

interface ChannelFormProps {
  /** null for a new channel. */
  id: string | null;
  initialValues: ChannelValues;
  etag: string | null;
  onReload: () => void;
  onDirty: (isDirty: boolean) => void;
  onClose: () => void;
}

function ChannelForm({ id, initialValues, etag, onReload, onDirty, onClose }: ChannelFormProps) {
  const { saveOneChannel } = useNotificationActions();
  const [failure, setFailure] = useState<Error | null>(null);
  const [hasConflict, setConflict] = useState(false);
  const form = useForm<ChannelValues>({
    initialValues,
    validate: { name: (name) => (name.trim() ? null : 'Enter a name') },
  });
  const { kind } = form.values;
  useDirty(form.isDirty(), onDirty);
  const send = async (values: ChannelValues, version: string | null) => {
    setFailure(null);
    try {
      const saved = await saveOneChannel.mutateAsync({ id, fields: channelFieldsOf(values), etag: version });
      notifications.show({ message: `The channel “${saved.name}” was saved.` });
      onClose();
    } catch (error) {
      const placed = error instanceof ApiError ? placeChannelErrors(error.errors) : {};
      if (error instanceof ApiError && error.status === 412) setConflict(true);
      else if (Object.keys(placed).length > 0) form.setErrors(placed);
      else setFailure(error as Error);
    }
  };
  return (
    <form noValidate onSubmit={form.onSubmit((values) => send(values, etag))}>
      <Stack gap="md">
        {hasConflict && (
          <ConflictNotice noun="channel" onReload={onReload} onOverwrite={() => void send(form.getValues(), null)} />
        )}
        <Select
          label="Kind"
          description={CHANNEL_KINDS.find(({ value }) => value === kind)?.about}
          data={CHANNEL_KINDS}
          disabled={id !== null}
          allowDeselect={false}
          {...form.getInputProps('kind')}
        />
        <TextInput
          label="Name"
          placeholder="Operations"
          maxLength={100}
          data-autofocus
          {...form.getInputProps('name')}
        />
        {kind === 'webhook' && <WebhookFields form={form} />}
        {kind === 'mqtt' && <MqttFields form={form} />}
        {kind === 'mail' && <MailFields form={form} />}
        <Switch label="Enabled" {...form.getInputProps('enabled', { type: 'checkbox' })} />
        {failure && <Failure title="The channel was not saved" error={failure} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={saveOneChannel.isPending}>
            {id === null ? 'Add channel' : 'Save'}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

interface ChannelDialogProps {
  /** 'new', the id of the channel to change, or null while closed. */
  edited: string | null;
  onClose: () => void;
}

export function ChannelDialog({ edited, onClose }: ChannelDialogProps) {
  const id = edited === 'new' ? null : edited;
  const { data, error, refetch } = useQuery({
    queryKey: ['channel-to-edit', id],
    queryFn: ({ signal }) => readChannel(id ?? '', signal),
    enabled: id !== null,
    ...FROZEN_WHILE_EDITING,
  });
  const { close, onDirty } = useAskBeforeClosing(onClose);
  const common = { id, onReload: () => void refetch(), onDirty, onClose };
  return (
    <Modal
      opened={edited !== null}
      onClose={close}
      title={edited === 'new' ? 'New channel' : 'Edit channel'}
      centered
      radius="md"
    >
      {edited === 'new' && <ChannelForm {...common} initialValues={newChannel()} etag={null} />}
      {id !== null && error && !data && <Failure title="The channel could not be loaded" error={error} />}
      {id !== null && !data && !error && <Skeleton height={420} />}
      {id !== null && data && (
        <ChannelForm
          key={data.etag ?? 'channel'}
          {...common}
          initialValues={channelValuesOf(data.item)}
          etag={data.etag}
        />
      )}
    </Modal>
  );
}
