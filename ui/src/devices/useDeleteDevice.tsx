// Deletes a device after a dialog that lists what is lost, and restores it on Undo.
import { modals } from '@mantine/modals';
import { notifications } from '@mantine/notifications';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { deleteDevice } from '../api/devices';
import { queryKeys } from '../api/queryKeys';
import { notifyFailure } from '../widgets/notifyFailure';
import { UndoMessage } from '../widgets/UndoMessage';
import { DeleteDeviceDialog } from './DeleteDeviceDialog';
import { useRestoreDevice } from './useDeletedDevices';

interface Named {
  id: string;
  name: string;
}

const UNDO_SHOWN_MS = 20_000;

export function useDeleteDevice(onDeleted?: () => void) {
  const client = useQueryClient();
  const restore = useRestoreDevice();
  const { mutate } = useMutation({
    mutationFn: (device: Named) => deleteDevice(device.id),
    onSuccess: (_, device) => {
      const id = `deleted-${device.id}`;
      const undo = () => {
        notifications.hide(id);
        restore.mutate(device);
      };
      notifications.show({
        id,
        message: <UndoMessage text={`“${device.name}” was deleted. Its footage is in the bin.`} onUndo={undo} />,
        autoClose: UNDO_SHOWN_MS,
      });
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

  return (device: Named) => {
    const id = modals.open({
      title: 'Delete this camera?',
      children: (
        <DeleteDeviceDialog
          device={device}
          onKeep={() => modals.close(id)}
          onDelete={() => {
            modals.close(id);
            mutate(device);
          }}
        />
      ),
    });
  };
}
