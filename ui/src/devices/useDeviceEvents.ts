// A device's history, newest first.
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { listDeviceEvents } from '../api/devices';
import { queryKeys } from '../api/queryKeys';
import { paced } from '../live/liveState';

export function useDeviceEvents(id: string, page: number) {
  return useQuery({
    queryKey: queryKeys.deviceEvents(id, page),
    queryFn: ({ signal }) => listDeviceEvents(id, page, signal),
    placeholderData: keepPreviousData,
    refetchInterval: paced(5_000, 60_000),
  });
}
