// The channels: state, test, browsers, and the way to add one.
import { Button, Skeleton, Text } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useState } from 'react';
import { askFirst } from '../widgets/askFirst';
import { Failure } from '../widgets/Failure';
import { Panel } from '../widgets/Panel';
import { ChannelDialog } from './ChannelDialog';
import { ChannelRow } from './ChannelRow';
import { SecretDialog } from './SecretDialog';
import { useChannels, useNotificationActions } from './useNotifications';
import classes from './Notifications.module.css';

export function ChannelsPanel() {
  const { data, error, refetch } = useChannels();
  const { toggleChannel, removeChannel, test, rotate, subscribe } = useNotificationActions();
  const [edited, setEdited] = useState<string | null>(null);
  const add = (
    <Button
      size="xs"
      variant={data?.length ? 'default' : 'filled'}
      leftSection={<IconPlus size={15} />}
      onClick={() => setEdited('new')}
    >
      Add channel
    </Button>
  );
  return (
    <Panel title="Channels" end={data && data.length > 0 && add}>
      {error && !data && (
        <Failure title="The channels could not be loaded" error={error} onRetry={() => void refetch()} />
      )}
      {!data && !error && <Skeleton height={90} />}
      {data?.length === 0 && (
        <>
          <Text size="sm" c="dimmed" mb="sm">
            A channel is where notifications go: a webhook, an MQTT broker, mail, or the browsers of your phones and
            computers. Rules then choose what is sent.
          </Text>
          {add}
        </>
      )}
      {data && data.length > 0 && (
        <ul className={classes.list} aria-label="Channels">
          {data.map((channel) => (
            <ChannelRow
              key={channel.id}
              channel={channel}
              isBusy={toggleChannel.isPending && toggleChannel.variables.id === channel.id}
              isTesting={test.isPending && test.variables.id === channel.id}
              isSubscribing={subscribe.isPending && subscribe.variables.id === channel.id}
              onToggle={() => toggleChannel.mutate(channel)}
              onTest={() => test.mutate(channel)}
              onSubscribe={() => subscribe.mutate(channel)}
              onEdit={() => setEdited(channel.id)}
              onRotate={() => rotate.mutate(channel)}
              onDelete={() =>
                void askFirst({
                  title: `Delete the channel “${channel.name}”?`,
                  text: 'What waits for it is cancelled. Rules that name it go on without it.',
                  confirm: 'Delete channel',
                  cancel: 'Keep it',
                }).then((isAgreed) => isAgreed && removeChannel.mutate(channel))
              }
            />
          ))}
        </ul>
      )}
      <ChannelDialog edited={edited} onClose={() => setEdited(null)} />
      <SecretDialog
        name={rotate.variables?.name ?? ''}
        secret={rotate.data?.secret ?? null}
        error={rotate.error}
        onClose={() => rotate.reset()}
      />
    </Panel>
  );
}
