// Every device's recording by device id, read page by page. More devices are polled less often.
import { useQuery } from '@tanstack/react-query';
import { listRecordings } from '../api/recordings';
import type { Recording } from '../api/recordingTypes';
import { recordingKeys } from '../api/recordingKeys';

const PAGE_SIZE = 100;
const MAX_PAGES = 20;

async function listAll(signal: AbortSignal): Promise<Recording[]> {
  const recordings: Recording[] = [];
  for (let page = 1; page <= MAX_PAGES; page += 1) {
    const response = await listRecordings({ page, pageSize: PAGE_SIZE }, signal);
    recordings.push(...response.items);
    if (page >= response.totalPages) break;
  }
  return recordings;
}

const byDevice = (recordings: Recording[]) => new Map(recordings.map((recording) => [recording.device_id, recording]));

export function useRecordings() {
  return useQuery({
    queryKey: recordingKeys.list({}),
    queryFn: ({ signal }) => listAll(signal),
    select: byDevice,
    refetchInterval: (query) => Math.min(30_000, 4_000 + (query.state.data?.length ?? 0) * 40),
  });
}
