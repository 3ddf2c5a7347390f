// The rules: what each reports, what it did within the last day, and the way to add one.
import { ActionIcon, Button, Skeleton, Switch, Text, Tooltip } from '@mantine/core';
import { IconPencil, IconPlus, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import { askFirst } from '../widgets/askFirst';
import { Failure } from '../widgets/Failure';
import { Panel } from '../widgets/Panel';
import { RuleDialog } from './RuleDialog';
import { describeLastDay, describeRule } from './ruleValues';
import { useChannels, useNotificationActions, useRules } from './useNotifications';
import classes from './Notifications.module.css';

export function RulesPanel() {
  const { data, error, refetch } = useRules();
  const channels = useChannels().data ?? [];
  const { toggleRule, removeRule } = useNotificationActions();
  const [edited, setEdited] = useState<string | null>(null);
  const names = new Map(channels.map(({ id, name }) => [id, name]));
  const add = (
    <Button
      size="xs"
      variant={data?.length ? 'default' : 'filled'}
      leftSection={<IconPlus size={15} />}
      onClick={() => setEdited('new')}
    >
      Add rule
    </Button>
  );
  return (
    <Panel title="Rules" end={data && data.length > 0 && add}>
      {error && !data && <Failure title="The rules could not be loaded" error={error} onRetry={() => void refetch()} />}
      {!data && !error && <Skeleton height={90} />}
      {data?.length === 0 && (
        <>
          <Text size="sm" c="dimmed" mb="sm">
            A rule says which events are reported, to which channels, and when not. Examples: a person in the yard at
            night, a camera that is lost, a disk that is nearly full.
          </Text>
          {add}
        </>
      )}
      {data && data.length > 0 && (
        <ul className={classes.list} aria-label="Rules">
          {data.map((rule) => {
            const to = rule.channel_ids.map((id) => names.get(id)).filter(Boolean);
            return (
              <li key={rule.id} className={classes.row} data-testid="rule-row" data-off={!rule.enabled || undefined}>
                <Tooltip label={rule.enabled ? 'Disable' : 'Enable'}>
                  <label className={classes.enable}>
                    <Switch
                      checked={rule.enabled}
                      disabled={toggleRule.isPending && toggleRule.variables.id === rule.id}
                      onChange={() => toggleRule.mutate(rule)}
                      aria-label={`Enable ${rule.name}`}
                    />
                  </label>
                </Tooltip>
                <div className={classes.about}>
                  <div className={classes.name}>{rule.name}</div>
                  <Text size="sm" c="dimmed">
                    {describeRule(rule)}
                  </Text>
                  {to.length ? (
                    <Text size="sm" c="dimmed">
                      To {to.join(', ')} · last day: {describeLastDay(rule.last_day)}
                    </Text>
                  ) : (
                    <div className={classes.problem}>It has no channel, so it only counts.</div>
                  )}
                </div>
                <div className={classes.actions}>
                  <Tooltip label="Edit">
                    <ActionIcon
                      variant="subtle"
                      color="gray"
                      size="lg"
                      aria-label={`Edit ${rule.name}`}
                      onClick={() => setEdited(rule.id)}
                    >
                      <IconPencil size={18} stroke={1.7} />
                    </ActionIcon>
                  </Tooltip>
                  <Tooltip label="Delete">
                    <ActionIcon
                      variant="subtle"
                      color="gray"
                      size="lg"
                      aria-label={`Delete ${rule.name}`}
                      onClick={() =>
                        void askFirst({
                          title: `Delete the rule “${rule.name}”?`,
                          text: 'What it has sent stays in the list of deliveries.',
                          confirm: 'Delete rule',
                          cancel: 'Keep it',
                        }).then((isAgreed) => isAgreed && removeRule.mutate(rule))
                      }
                    >
                      <IconTrash size={18} stroke={1.7} />
                    </ActionIcon>
                  </Tooltip>
                </div>
              </li>
            );
          })}
        </ul>
      )}
      <RuleDialog edited={edited} channels={channels} onClose={() => setEdited(null)} />
    </Panel>
  );
}
