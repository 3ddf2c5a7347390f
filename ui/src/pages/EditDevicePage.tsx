// Edits a camera without losing concurrent changes of other users.
import { Skeleton } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate, useParams } from 'react-router';
import { replaceDevice } from '../api/devices';
import { ApiError } from '../api/http';
import type { DeviceFields } from '../api/types';
import { DeviceForm } from '../devices/DeviceForm';
import { valuesOf } from '../devices/deviceValues';
import { Failure } from '../widgets/Failure';
import { PageHeader } from '../widgets/PageHeader';
import { queryKeys } from '../api/queryKeys';
import { useDeviceToEdit } from '../devices/useDeviceToEdit';
import { useVersionedSave } from '../widgets/useVersionedSave';
import { NotFoundPage } from './NotFoundPage';

export function EditDevicePage() {
  const { id = '' } = useParams();
  const navigate = useNavigate();
  const client = useQueryClient();
  const { data, error, refetch } = useDeviceToEdit(id);

  const save = async (fields: DeviceFields, etag: string | null) => {
    const device = await replaceDevice(id, fields, etag);
    void client.invalidateQueries({ queryKey: queryKeys.devices });
    void client.invalidateQueries({ queryKey: queryKeys.streams });
    notifications.show({ message: `“${device.name}” was saved.` });
    void navigate(`/devices/${id}`);
  };
  const { notice, submit } = useVersionedSave({
    save,
    onReload: () => void refetch(),
    failureTitle: 'The camera was not saved',
  });

  if (error instanceof ApiError && error.status === 404) return <NotFoundPage isCamera />;

  return (
    <>
      <PageHeader
        title={data ? `Edit ${data.device.name}` : 'Edit camera'}
        back={{ to: `/devices/${id}`, label: data?.device.name ?? 'Camera' }}
      />
      {error && !data && (
        <Failure title="The camera could not be loaded" error={error} onRetry={() => void refetch()} />
      )}
      {!data && !error && <Skeleton height={520} maw={672} radius="md" />}
      {data && (
        <DeviceForm
          key={data.etag ?? data.device.updated_at}
          initialValues={valuesOf(data.device)}
          deviceId={id}
          submitLabel="Save"
          notice={notice}
          onCancel={() => void navigate(`/devices/${id}`)}
          onSubmit={(fields) => submit(fields, data.etag)}
        />
      )}
    </>
  );
}
