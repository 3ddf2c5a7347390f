// The history of a device, newest first: state changes, snapshots, bookmarks and clips.
import { Button, Group, Skeleton, Text } from '@mantine/core';
import { useState } from 'react';
import type { ObservedState } from '../api/types';
import { useDeviceEvents } from './useDeviceEvents';
import { CaptureEvent } from './CaptureEvent';
import { Failure } from '../widgets/Failure';
import { Panel } from '../widgets/Panel';
import { ReasonText } from '../widgets/ReasonText';
import { StateBadge } from '../widgets/StateBadge';
import { Timestamp } from '../widgets/Timestamp';
import classes from './EventHistory.module.css';

export function EventHistory({ deviceId }: { deviceId: string }) {
  const [page, setPage] = useState(1);
  const { data, error, refetch } = useDeviceEvents(deviceId, page);
  const hasPages = data && data.totalPages > 1;
  return (
    <Panel
      title="History"
      end={
        hasPages && (
          <Group gap={4}>
            <Button size="compact-xs" variant="default" disabled={page <= 1} onClick={() => setPage(page - 1)}>
              Newer
            </Button>
            <Button
              size="compact-xs"
              variant="default"
              disabled={page >= data.totalPages}
              onClick={() => setPage(page + 1)}
            >
              Older
            </Button>
          </Group>
        )
      }
    >
      {error && !data && (
        <Failure title="The history could not be loaded" error={error} onRetry={() => void refetch()} />
      )}
      {!data && !error && <Skeleton height={120} />}
      {data?.items.length === 0 && (
        <Text size="sm" c="dimmed">
          No events yet. State changes, snapshots and bookmarks of this camera are listed here.
        </Text>
      )}
      {data && data.items.length > 0 && (
        <ul className={classes.list}>
          {data.items.map((event) => (
            <li key={event.id} className={classes.event}>
              <span className={classes.at}>
                <Timestamp at={event.at} />
              </span>
              {event.kind !== 'state' && event.kind !== undefined ? (
                <CaptureEvent event={event} />
              ) : (
                <>
                  <span>{event.to && <StateBadge state={event.to as ObservedState} />}</span>
                  <span className={classes.reason}>{event.reason && <ReasonText reason={event.reason} />}</span>
                </>
              )}
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}
