// The bin of deleted devices: its list, and restoring and removing them.
import { notifications } from '@mantine/notifications';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { listDeletedDevices, purgeDevice, restoreDevice } from '../api/devices';
import { ApiError } from '../api/http';
import { queryKeys } from '../api/queryKeys';
import { recordingKeys } from '../api/recordingKeys';
import { notifyFailure } from '../widgets/notifyFailure';

interface Named {
  id: string;
  name: string;
}

export function useDeletedDevices() {
  return useQuery({
    queryKey: queryKeys.deletedDevices,
    queryFn: ({ signal }) => listDeletedDevices(signal),
    refetchInterval: 60_000,
  });
}

function useRefresh() {
  const client = useQueryClient();
  return () => {
    for (const queryKey of [queryKeys.devices, queryKeys.streams, recordingKeys.all])
      void client.invalidateQueries({ queryKey });
  };
}

export function useRestoreDevice() {
  const refresh = useRefresh();
  return useMutation({
    mutationFn: (device: Named) => restoreDevice(device.id),
    onSuccess: (device) => {
      notifications.show({ message: `“${device.name}” was restored with its footage.` });
    },
    onError: (error, device) => {
      const isTaken = error instanceof ApiError && error.reason === 'name_taken';
      notifyFailure(
        `“${device.name}” was not restored`,
        isTaken ? new Error('another camera has its name: rename that one first') : error,
      );
    },
    onSettled: refresh,
  });
}

export function usePurgeDevice() {
  const refresh = useRefresh();
  return useMutation({
    mutationFn: (device: Named) => purgeDevice(device.id),
    onError: (error, device) => notifyFailure(`“${device.name}” was not removed`, error),
    onSettled: refresh,
  });
}
