// A device's history, newest first.
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { listDeviceEvents } from '../api/devices';
import { queryKeys } from '../api/queryKeys';

export function useDeviceEvents(id: string, page: number) {
  return useQuery({
    queryKey: queryKeys.deviceEvents(id, page),
    queryFn: ({ signal }) => listDeviceEvents(id, page, signal),
    placeholderData: keepPreviousData,
    refetchInterval: 5_000,
  });
}
