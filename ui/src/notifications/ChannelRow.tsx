// One channel: its kind and address, its state, and what can be done with it.
import { ActionIcon, Badge, Button, Menu, Switch, Text, Tooltip } from '@mantine/core';
import { IconDotsVertical, IconKey, IconPencil, IconTrash } from '@tabler/icons-react';
import type { Channel } from '../api/notifications';
import { sentence } from '../formatting/sentence';
import { Timestamp } from '../widgets/Timestamp';
import { kindLabel } from './channelValues';
import { pushObstacle } from './pushSubscription';
import classes from './Notifications.module.css';

interface ChannelRowProps {
  channel: Channel;
  isBusy: boolean;
  isTesting: boolean;
  isSubscribing: boolean;
  onToggle: () => void;
  onTest: () => void;
  onSubscribe: () => void;
  onEdit: () => void;
  onRotate: () => void;
  onDelete: () => void;
}

const STATES = {
  ok: { color: 'green', label: 'OK' },
  failing: { color: 'red', label: 'Failing' },
  disabled: { color: 'gray', label: 'Disabled' },
};

const DISABLED_BY = {
  failing: 'It was disabled, because nothing has arrived for days.',
  gone: 'It was disabled, because the receiver answered that it is gone.',
};

function addressOf({ kind, webhook, mqtt, mail, push }: Channel): string {
  if (kind === 'webhook') return webhook?.url ?? '';
  if (kind === 'mqtt') return `${mqtt?.host}:${mqtt?.port}, topics below ${mqtt?.prefix}/`;
  if (kind === 'mail') return `${mail?.recipients.join(', ')} by ${mail?.host}`;
  const count = push?.browsers ?? 0;
  return count === 0 ? 'No browser is subscribed yet' : `${count} browser${count === 1 ? '' : 's'}`;
}

export function ChannelRow(props: ChannelRowProps) {
  const { channel, isBusy, isTesting, isSubscribing, onToggle, onTest, onSubscribe, onEdit, onRotate, onDelete } =
    props;
  const { name, kind, enabled, state, pending, last_error, last_ok_at, failing_since, disabled_reason } = channel;
  const obstacle = kind === 'push' ? pushObstacle() : null;
  return (
    <li className={classes.row} data-testid="channel-row" data-off={!enabled || undefined}>
      <Tooltip label={enabled ? 'Disable' : 'Enable'}>
        <label className={classes.enable}>
          <Switch checked={enabled} disabled={isBusy} onChange={onToggle} aria-label={`Enable ${name}`} />
        </label>
      </Tooltip>
      <div className={classes.about}>
        <span className={classes.name}>{name}</span>{' '}
        <Badge size="sm" variant="light" color={STATES[state].color}>
          {STATES[state].label}
        </Badge>
        <Text size="sm" c="dimmed">
          {kindLabel(kind)} · {addressOf(channel)}
          {pending > 0 && ` · ${pending} waiting`}
        </Text>
        {last_error && (
          <div className={classes.problem}>
            {disabled_reason && `${DISABLED_BY[disabled_reason as keyof typeof DISABLED_BY] ?? ''} `}
            {sentence(last_error)} {failing_since && <>Since </>}
            {failing_since && <Timestamp at={failing_since} />}
          </div>
        )}
        {!last_error && last_ok_at && (
          <Text size="xs" c="dimmed">
            Last delivered <Timestamp at={last_ok_at} />
          </Text>
        )}
        {obstacle && <div className={classes.problem}>{obstacle}</div>}
      </div>
      <div className={classes.actions}>
        {kind === 'push' && !obstacle && (
          <Button size="xs" variant="default" loading={isSubscribing} onClick={onSubscribe}>
            Subscribe this browser
          </Button>
        )}
        <Button
          size="xs"
          variant="default"
          disabled={!enabled}
          loading={isTesting}
          onClick={onTest}
          aria-label={`Test ${name}`}
        >
          Test
        </Button>
        <Menu position="bottom-end">
          <Menu.Target>
            <ActionIcon variant="subtle" color="gray" size="lg" aria-label={`More actions for ${name}`}>
              <IconDotsVertical size={18} stroke={1.7} />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item leftSection={<IconPencil size={16} />} onClick={onEdit}>
              Edit
            </Menu.Item>
            {kind === 'webhook' && (
              <Menu.Item leftSection={<IconKey size={16} />} onClick={onRotate}>
                New signing secret
              </Menu.Item>
            )}
            <Menu.Item leftSection={<IconTrash size={16} />} color="red" onClick={onDelete}>
              Delete
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
      </div>
    </li>
  );
}
