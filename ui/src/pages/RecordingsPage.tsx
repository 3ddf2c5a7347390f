// The page of recordings: each camera's state with its last days or one day, and the recordings disk.
import { Skeleton, Stack, Text } from '@mantine/core';
import { useSearchParams } from 'react-router';
import { addDays } from '../formatting/calendarDates';
import { EmptyRecordings } from '../recordings/EmptyRecordings';
import { Failure } from '../widgets/Failure';
import { ListFooter } from '../widgets/ListFooter';
import { NoMatches } from '../widgets/NoMatches';
import { PageHeader } from '../widgets/PageHeader';
import { RecordingFilters } from '../recordings/RecordingFilters';
import { RecordingRow } from '../recordings/RecordingRow';
import { StoragePanel } from '../recordings/StoragePanel';
import type { CoverageDay } from '../api/recordingTypes';
import { useCoverage } from '../recordings/useCoverage';
import { useNow } from '../widgets/useNow';
import { useRecordingPage } from '../recordings/useRecordingPage';
import { dateOf } from '../formatting/timeZone';
import { useShownZone } from '../widgets/useShownZone';
import classes from '../recordings/RecordingList.module.css';

const SHOWN_DAYS = 14;
const PAGE_SIZES = [25, 50, 100];

function groupByDevice(days: CoverageDay[] | undefined): Map<string, Map<string, CoverageDay>> {
  const grouped = new Map<string, Map<string, CoverageDay>>();
  for (const day of days ?? []) {
    if (!day.device_id) continue;
    const own = grouped.get(day.device_id) ?? new Map<string, CoverageDay>();
    own.set(day.date, day);
    grouped.set(day.device_id, own);
  }
  return grouped;
}

export function RecordingsPage() {
  const [search, setSearch] = useSearchParams();
  const timeZone = useShownZone();
  const today = dateOf(timeZone, useNow(60_000));
  const q = search.get('q') ?? '';
  const date = search.get('date');
  const page = Math.max(1, Number(search.get('page')) || 1);
  const pageSize = PAGE_SIZES.find((size) => size === Number(search.get('page_size'))) ?? 25;
  const change = (patch: Record<string, string | null>) =>
    setSearch(
      (current) => {
        const next = new URLSearchParams(current);
        for (const [key, value] of Object.entries(patch)) {
          if (value) next.set(key, value);
          else next.delete(key);
        }
        return next;
      },
      { replace: true },
    );

  const recordings = useRecordingPage({ page, pageSize, q });
  const dates = Array.from({ length: SHOWN_DAYS }, (_, index) => addDays(today, index - SHOWN_DAYS + 1));
  const coverage = useCoverage(null, { from: dates[0] ?? today, to: today, timeZone });
  const byDevice = groupByDevice(coverage.data);
  const list = recordings.data;
  const isEmpty = list?.total === 0 && !q;

  return (
    <>
      <PageHeader title="Recordings">
        {!isEmpty && (
          <Text size="sm" c="dimmed">
            Days and times in {timeZone}
          </Text>
        )}
      </PageHeader>
      <Stack gap="md">
        {recordings.error && (
          <Failure
            title="The recordings could not be loaded"
            error={recordings.error}
            onRetry={() => void recordings.refetch()}
          />
        )}
        {isEmpty ? (
          <EmptyRecordings />
        ) : (
          <>
            <StoragePanel />
            <RecordingFilters
              q={q}
              date={date}
              today={today}
              onSearch={(text) => change({ q: text, page: null })}
              onDate={(day) => change({ date: day })}
            />
            {!list &&
              !recordings.error &&
              Array.from({ length: 5 }, (_, index) => <Skeleton key={index} height={82} radius="md" />)}
            {list?.items.length === 0 && <NoMatches onClear={() => change({ q: null, page: null })} />}
            {list && list.items.length > 0 && (
              <div>
                <ul className={classes.list} aria-label="Recordings">
                  {list.items.map((recording) => (
                    <RecordingRow
                      key={recording.device_id}
                      recording={recording}
                      dates={dates}
                      days={byDevice.get(recording.device_id)}
                      date={date}
                      timeZone={timeZone}
                    />
                  ))}
                </ul>
                <ListFooter
                  page={page}
                  pageSize={pageSize}
                  pageSizes={PAGE_SIZES}
                  shown={list.items.length}
                  total={list.total}
                  totalPages={list.totalPages}
                  onPage={(number) => change({ page: number > 1 ? String(number) : null })}
                  onPageSize={(size) => change({ page_size: String(size), page: null })}
                />
              </div>
            )}
          </>
        )}
      </Stack>
    </>
  );
}
