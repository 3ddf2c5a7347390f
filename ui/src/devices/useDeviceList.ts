// One page of devices, refreshed periodically; the previous page stays until the next one is loaded.
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { listDevices, type DeviceListQuery } from '../api/devices';
import { queryKeys } from '../api/queryKeys';
import { paced } from '../live/liveState';

export function useDeviceList(query: DeviceListQuery) {
  return useQuery({
    queryKey: queryKeys.deviceList(query),
    queryFn: ({ signal }) => listDevices(query, signal),
    placeholderData: keepPreviousData,
    refetchInterval: paced(4_000, 60_000),
  });
}
