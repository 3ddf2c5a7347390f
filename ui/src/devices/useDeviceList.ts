// One page of devices, refreshed periodically; the previous page stays until the next one is loaded.
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { listDevices, type DeviceListQuery } from '../api/devices';
import { queryKeys } from '../api/queryKeys';

export function useDeviceList(query: DeviceListQuery) {
  return useQuery({
    queryKey: queryKeys.deviceList(query),
    queryFn: ({ signal }) => listDevices(query, signal),
    placeholderData: keepPreviousData,
    refetchInterval: 4_000,
  });
}
