// One device as it was when its form was opened: not refreshed while the user is typing.
import { useQuery } from '@tanstack/react-query';
import { readDevice } from '../api/devices';
import { FROZEN_WHILE_EDITING } from '../widgets/editQuery';

export function useDeviceToEdit(id: string) {
  return useQuery({
    queryKey: ['device-to-edit', id],
    queryFn: ({ signal }) => readDevice(id, signal),
    ...FROZEN_WHILE_EDITING,
  });
}
