// What was sent or waits: state, answer, filters, and sending again.
import { Anchor, Badge, Button, Group, Select, Skeleton, Text } from '@mantine/core';
import { useState } from 'react';
import { Link } from 'react-router';
import type { Delivery, DeliveryState } from '../api/notifications';
import { sentence } from '../formatting/sentence';
import { Failure } from '../widgets/Failure';
import { ListFooter } from '../widgets/ListFooter';
import { Panel } from '../widgets/Panel';
import { Timestamp } from '../widgets/Timestamp';
import { useChannels, useDeliveries, useNotificationActions } from './useNotifications';
import classes from './Notifications.module.css';

const STATES: Record<DeliveryState, { label: string; color: string }> = {
  pending: { label: 'Waiting', color: 'blue' },
  delivered: { label: 'Delivered', color: 'green' },
  failed: { label: 'Failed', color: 'red' },
  cancelled: { label: 'Cancelled', color: 'gray' },
};
const PAGE_SIZES = [20, 50, 100];
const FIRST = { page: 1, pageSize: 20, state: '', channelId: '' };

function Outcome({ delivery }: { delivery: Delivery }) {
  const { state, error, attempts, next_try_at, status, answer } = delivery;
  const retries = state === 'pending' && attempts > 0 && next_try_at;
  return (
    <>
      {error && (
        <div className={classes.problem}>
          {sentence(error)}
          {answer && ` Answer: “${answer.slice(0, 120)}”`}
        </div>
      )}
      {(retries || attempts > 1) && (
        <Text size="xs" c="dimmed">
          {attempts} attempt{attempts === 1 ? '' : 's'}
          {status !== null && `, last answer ${status}`}
          {retries && (
            <>
              , next <Timestamp at={next_try_at} />
            </>
          )}
        </Text>
      )}
    </>
  );
}

export function DeliveriesPanel() {
  const [query, setQuery] = useState(FIRST);
  const { data, error, refetch } = useDeliveries(query);
  const channels = useChannels().data ?? [];
  const { retry } = useNotificationActions();
  const change = (next: Partial<typeof FIRST>) => setQuery({ ...query, page: 1, ...next });
  const isFiltered = query.state !== '' || query.channelId !== '';
  return (
    <Panel title="Deliveries">
      {(isFiltered || (data && data.total > 0)) && (
        <Group gap="sm" mb="sm">
          <Select
            aria-label="State"
            placeholder="All states"
            clearable
            w={150}
            data={Object.entries(STATES).map(([value, { label }]) => ({ value, label }))}
            value={query.state || null}
            onChange={(state) => change({ state: state ?? '' })}
          />
          <Select
            aria-label="Channel"
            placeholder="All channels"
            clearable
            w={200}
            data={channels.map(({ id, name }) => ({ value: id, label: name }))}
            value={query.channelId || null}
            onChange={(channelId) => change({ channelId: channelId ?? '' })}
          />
        </Group>
      )}
      {error && !data && (
        <Failure title="The deliveries could not be loaded" error={error} onRetry={() => void refetch()} />
      )}
      {!data && !error && <Skeleton height={120} />}
      {data?.items.length === 0 && (
        <Text size="sm" c="dimmed">
          {isFiltered
            ? 'No delivery matches this filter.'
            : 'Nothing was sent yet. A test of a channel appears here at once.'}
        </Text>
      )}
      {data && data.items.length > 0 && (
        <>
          <ul className={classes.list} aria-label="Deliveries">
            {data.items.map((delivery) => (
              <li key={delivery.id} className={`${classes.row} ${classes.delivery}`} data-testid="delivery-row">
                <div>
                  <Badge variant="light" color={STATES[delivery.state].color}>
                    {STATES[delivery.state].label}
                  </Badge>
                </div>
                <div className={classes.about}>
                  <div className={classes.name}>{delivery.title}</div>
                  <Text size="sm" c="dimmed">
                    <Timestamp at={delivery.created_at} /> · to {delivery.channel_name}
                    {delivery.rule_name && ` · rule ${delivery.rule_name}`}
                    {delivery.device_id && (
                      <>
                        {' · '}
                        <Anchor component={Link} to={`/devices/${delivery.device_id}`} inherit>
                          {delivery.device_name}
                        </Anchor>
                      </>
                    )}
                  </Text>
                  {delivery.text && <Text size="sm">{delivery.text}</Text>}
                  <Outcome delivery={delivery} />
                </div>
                <div className={classes.actions}>
                  <Button
                    size="xs"
                    variant="default"
                    loading={retry.isPending && retry.variables === delivery.id}
                    onClick={() => retry.mutate(delivery.id)}
                    aria-label={`Send “${delivery.title}” again`}
                  >
                    {delivery.state === 'pending' ? 'Try now' : 'Send again'}
                  </Button>
                </div>
              </li>
            ))}
          </ul>
          <ListFooter
            noun="notification"
            page={query.page}
            pageSize={query.pageSize}
            pageSizes={PAGE_SIZES}
            shown={data.items.length}
            total={data.total}
            totalPages={data.totalPages}
            onPage={(page) => setQuery({ ...query, page })}
            onPageSize={(pageSize) => change({ pageSize })}
          />
        </>
      )}
    </Panel>
  );
}
