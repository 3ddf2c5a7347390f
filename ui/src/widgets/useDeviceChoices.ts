// Camera names as choices for filters: at most the first 500.
import { useQuery } from '@tanstack/react-query';
import { listDevices } from '../api/devices';
import { queryKeys } from '../api/queryKeys';

const PAGE_SIZE = 100;
const MAX_PAGES = 5;

export interface DeviceChoice {
  value: string;
  label: string;
}

export function useDeviceChoices(): DeviceChoice[] {
  const { data } = useQuery({
    queryKey: [...queryKeys.devices, 'choices'],
    queryFn: async ({ signal }) => {
      const choices: DeviceChoice[] = [];
      for (let page = 1; page <= MAX_PAGES; page += 1) {
        const response = await listDevices(
          { page, pageSize: PAGE_SIZE, sort: 'name', q: '', tag: '', state: '' },
          signal,
        );
        choices.push(...response.items.map(({ id, name }) => ({ value: id, label: name })));
        if (page >= response.totalPages) break;
      }
      return choices;
    },
    staleTime: 60_000,
  });
  return data ?? [];
}
