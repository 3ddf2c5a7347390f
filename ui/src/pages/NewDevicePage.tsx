// Adds a camera.
import { notifications } from '@mantine/notifications';
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from 'react-router';
import { createDevice } from '../api/devices';
import { DeviceForm } from '../devices/DeviceForm';
import { NEW_DEVICE } from '../devices/deviceValues';
import { PageHeader } from '../widgets/PageHeader';
import { queryKeys } from '../api/queryKeys';

export function NewDevicePage() {
  const navigate = useNavigate();
  const client = useQueryClient();
  return (
    <>
      <PageHeader title="Add camera" back={{ to: '/', label: 'Cameras' }} />
      <DeviceForm
        initialValues={NEW_DEVICE}
        submitLabel="Add camera"
        onCancel={() => void navigate('/')}
        onSubmit={async (fields) => {
          const device = await createDevice(fields);
          void client.invalidateQueries({ queryKey: queryKeys.devices });
          void client.invalidateQueries({ queryKey: queryKeys.streams });
          notifications.show({ message: `“${device.name}” was added.` });
          void navigate(`/devices/${device.id}`);
        }}
      />
    </>
  );
}
