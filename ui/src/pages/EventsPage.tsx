// Events of all cameras, newest first, with their best pictures; one opens with its recording.
import { Button, Center, Loader, Skeleton, Stack, Text } from '@mantine/core';
import { useInViewport } from '@mantine/hooks';
import { IconArrowUp } from '@tabler/icons-react';
import { useCallback, useEffect, useMemo, useState } from 'react';
import type { CameraEvent } from '../api/events';
import { EmptyEvents, NoEventsInTime } from '../events/EmptyEvents';
import { EventFilters } from '../events/EventFilters';
import { NO_FILTER } from '../events/eventFilter';
import { EventGrid } from '../events/EventGrid';
import { EventView } from '../events/EventView';
import { useEventQuery } from '../events/useEventQuery';
import { useEvents, useEventValues } from '../events/useEvents';
import { usePlugins } from '../health/usePlugins';
import { Failure } from '../widgets/Failure';
import { NoMatches } from '../widgets/NoMatches';
import { PageHeader } from '../widgets/PageHeader';
import { useDeviceChoices } from '../widgets/useDeviceChoices';
import classes from '../events/EventGrid.module.css';

const NONE: CameraEvent[] = [];
const ANY_TIME = { span: '', from: '', to: '' } as const;

export function EventsPage() {
  const { query, filter, change, filters, openId, open, timeZone, today } = useEventQuery();
  const list = useEvents(filter);
  const { events, error, hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage, addedCount } = list;
  const values = useEventValues();
  const devices = useDeviceChoices();
  const names = useMemo(() => new Map(devices.map(({ value, label }) => [value, label])), [devices]);
  const cameraOf = useCallback((id: string | null) => (id === null ? '' : (names.get(id) ?? 'Camera')), [names]);
  const { ref: end, inViewport: isAtEnd } = useInViewport<HTMLDivElement>();
  const [closedId, setClosedId] = useState<number | null>(null);
  const isEmpty = events?.length === 0 && filters === 0 && addedCount === 0;
  const plugins = usePlugins(isEmpty);

  const loadMore = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  useEffect(() => {
    if (isAtEnd && !isFetchNextPageError) loadMore();
  }, [isAtEnd, isFetchNextPageError, loadMore]);
  const openOne = useCallback((id: number) => open(id), [open]);
  const show = (id: number | null, options?: { isStep?: boolean }) => {
    setClosedId(id === null ? openId : null);
    open(id, options);
  };
  const showAdded = () => {
    list.showAdded();
    window.scrollTo({ top: 0 });
  };

  return (
    <>
      <PageHeader title="Events">
        {!isEmpty && (
          <Text size="sm" c="dimmed">
            Times in {timeZone}
          </Text>
        )}
      </PageHeader>
      <Stack gap="md">
        {error && !events && (
          <Failure title="The events could not be loaded" error={error} onRetry={() => void list.refetch()} />
        )}
        {isEmpty ? (
          <EmptyEvents plugins={plugins.data} />
        ) : (
          <>
            <EventFilters query={query} filters={filters} devices={devices} values={values.data} onChange={change} />
            {!events && !error && (
              <div className={classes.grid} aria-hidden>
                {Array.from({ length: 12 }, (_, index) => (
                  <Skeleton key={index} radius="md" style={{ aspectRatio: '1.05' }} />
                ))}
              </div>
            )}
            <div className={classes.added} aria-live="polite">
              {addedCount > 0 && (
                <Button size="compact-md" radius="xl" leftSection={<IconArrowUp size={15} />} onClick={showAdded}>
                  {`${addedCount}${list.hasMoreAdded ? '+' : ''} new`}
                </Button>
              )}
            </div>
            {events?.length === 0 &&
              addedCount === 0 &&
              (query.span ? (
                <NoEventsInTime
                  hasOthers={filters > 1}
                  onWiden={() => change(ANY_TIME)}
                  onClear={() => change(NO_FILTER)}
                />
              ) : (
                <NoMatches noun="event" onClear={() => change(NO_FILTER)} />
              ))}
            {events && events.length > 0 && (
              <EventGrid
                events={events}
                cameraOf={cameraOf}
                timeZone={timeZone}
                today={today}
                returnTo={closedId}
                onOpen={openOne}
              />
            )}
            {isFetchNextPageError && error && (
              <Failure title="Older events could not be loaded" error={error} onRetry={() => void fetchNextPage()} />
            )}
            {hasNextPage && !isFetchNextPageError && (
              <Center ref={end} mih={64}>
                {isFetchingNextPage ? (
                  <Loader size="sm" />
                ) : (
                  <Button variant="default" onClick={loadMore}>
                    Show more
                  </Button>
                )}
              </Center>
            )}
          </>
        )}
      </Stack>
      {openId !== null && (
        <EventView
          events={events ?? NONE}
          openId={openId}
          cameraOf={cameraOf}
          timeZone={timeZone}
          onOpen={show}
          onNearEnd={loadMore}
        />
      )}
    </>
  );
}
