// The gallery: all snapshots by day, filtered by camera, time, kind and tag.
import { Button, Center, Loader, Skeleton, Stack, Text } from '@mantine/core';
import { useInViewport } from '@mantine/hooks';
import { useCallback, useEffect, useMemo } from 'react';
import { EmptySnapshots } from '../snapshots/EmptySnapshots';
import { Failure } from '../widgets/Failure';
import { GalleryTimeLapse } from '../schedules/GalleryTimeLapse';
import { NoMatches } from '../widgets/NoMatches';
import { PageHeader } from '../widgets/PageHeader';
import { SelectionBar } from '../widgets/SelectionBar';
import { downloadFile } from '../snapshots/downloadFile';
import { SnapshotFilters } from '../snapshots/SnapshotFilters';
import { SnapshotGrid } from '../snapshots/SnapshotGrid';
import { SnapshotViewer } from '../snapshots/SnapshotViewer';
import { useDeviceChoices } from '../widgets/useDeviceChoices';
import { useSelection } from '../widgets/useSelection';
import { useSnapshotArchive } from '../snapshots/useSnapshotArchive';
import { useSnapshotDeletion } from '../snapshots/useSnapshotDeletion';
import { NO_FILTERS, useSnapshotQuery } from '../snapshots/useSnapshotQuery';
import { useSnapshots } from '../snapshots/useSnapshots';
import { useTagsInUse } from '../widgets/useTagsInUse';
import { useViewerKeys } from '../snapshots/useViewerKeys';
import { snapshotDownloadUrl } from '../api/snapshots';
import classes from '../snapshots/SnapshotGrid.module.css';

const NONE: never[] = [];

export function SnapshotsPage() {
  const { query, filter, change, isFiltered, openId, open, timeZone, today } = useSnapshotQuery();
  const { snapshots, total, error, refetch, hasNextPage, isFetchingNextPage, fetchNextPage } = useSnapshots(filter);
  const list = snapshots ?? NONE;
  const ids = useMemo(() => list.map(({ id }) => id), [list]);
  const selection = useSelection(ids);
  const archive = useSnapshotArchive(timeZone);
  const removal = useSnapshotDeletion();
  const devices = useDeviceChoices();
  const tags = useTagsInUse('snapshots');
  const { ref: end, inViewport: isAtEnd } = useInViewport<HTMLDivElement>();
  const isEmpty = snapshots?.length === 0 && !isFiltered;

  const loadMore = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  useEffect(() => {
    if (isAtEnd) loadMore();
  }, [isAtEnd, loadMore]);
  useViewerKeys(openId || selection.ids.size === 0 ? {} : { escape: selection.clear });

  const selected = list.filter(({ id }) => selection.ids.has(id));
  const download = () => {
    const [only] = selected;
    if (only && selected.length === 1) downloadFile(snapshotDownloadUrl(only, 'jpeg'));
    else void archive.download(selected);
  };

  return (
    <>
      <PageHeader title="Snapshots">
        {query.deviceId && list.length > 0 && (
          <GalleryTimeLapse deviceId={query.deviceId} start={filter.start} end={filter.end} />
        )}
        {!isEmpty && (
          <Text size="sm" c="dimmed">
            {snapshots && `${total} ${total === 1 ? 'snapshot' : 'snapshots'}, times in ${timeZone}`}
          </Text>
        )}
      </PageHeader>
      <Stack gap="md">
        {error && !snapshots && (
          <Failure title="The snapshots could not be loaded" error={error} onRetry={() => void refetch()} />
        )}
        {isEmpty ? (
          <EmptySnapshots />
        ) : (
          <>
            <SnapshotFilters
              query={query}
              today={today}
              devices={devices}
              tags={tags}
              deviceName={list.find(({ device_id }) => device_id === query.deviceId)?.device_name ?? null}
              onChange={change}
            />
            {!snapshots && !error && (
              <div className={classes.grid} aria-hidden>
                {Array.from({ length: 12 }, (_, index) => (
                  <Skeleton key={index} radius="md" style={{ aspectRatio: '1.25' }} />
                ))}
              </div>
            )}
            {snapshots?.length === 0 && <NoMatches noun="snapshot" onClear={() => change(NO_FILTERS)} />}
            {list.length > 0 && (
              <SnapshotGrid snapshots={list} timeZone={timeZone} today={today} selection={selection} onOpen={open} />
            )}
            {hasNextPage && (
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
      {selected.length > 0 && (
        <SelectionBar
          count={selected.length}
          packed={archive.packed}
          onDownload={download}
          onDelete={() => {
            removal.mutate(selected.map(({ id }) => id));
            selection.clear();
          }}
          onClear={selection.clear}
        />
      )}
      {openId && (
        <SnapshotViewer
          snapshots={list}
          openId={openId}
          timeZone={timeZone}
          total={total}
          onOpen={(id, options) => open(id, options)}
          onNearEnd={loadMore}
        />
      )}
    </>
  );
}
