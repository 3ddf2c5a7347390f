// Deletes a device after a confirmation that lists what is deleted with it.
import { Text } from '@mantine/core';
import { modals } from '@mantine/modals';
import { notifications } from '@mantine/notifications';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { deleteDevice } from '../api/devices';
import { queryKeys } from '../api/queryKeys';
import { notifyFailure } from '../widgets/notifyFailure';

interface Named {
  id: string;
  name: string;
}

export function useDeleteDevice(onDeleted?: () => void) {
  const client = useQueryClient();
  const { mutate } = useMutation({
    mutationFn: (device: Named) => deleteDevice(device.id),
    onSuccess: (_, device) => {
      notifications.show({ message: `“${device.name}” was deleted.` });
      client.removeQueries({ queryKey: queryKeys.device(device.id) });
      client.removeQueries({ queryKey: queryKeys.stream(device.id) });
      onDeleted?.();
    },
    onError: (error, device) => {
      notifyFailure(`“${device.name}” was not deleted`, error);
    },
    onSettled: () => {
      void client.invalidateQueries({ queryKey: queryKeys.devices });
      void client.invalidateQueries({ queryKey: queryKeys.streams });
    },
  });

  return (device: Named) =>
    modals.openConfirmModal({
      title: 'Delete this camera?',
      children: (
        <>
          <Text size="sm" fw={600} style={{ overflowWrap: 'anywhere' }}>
            {device.name}
          </Text>
          <Text size="sm" mt="xs">
            This stops its stream, disconnects all viewers, and deletes its settings, stored password and history. This
            cannot be undone. Its snapshots and bookmarks are kept.
          </Text>
        </>
      ),
      labels: { confirm: 'Delete camera', cancel: 'Keep it' },
      confirmProps: { color: 'red' },
      onConfirm: () => mutate(device),
    });
}
