// One page of devices, refreshed while it is looked at; the old page stays until the new one is here.
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
