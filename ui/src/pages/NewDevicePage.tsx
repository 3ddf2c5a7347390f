// Adds a camera and sets whether it is recorded; its clock is that of this browser.
import { notifications } from '@mantine/notifications';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useNavigate } from 'react-router';
import { createDevice } from '../api/devices';
import { readRecording, replaceRecording } from '../api/recordings';
import { recordingKeys } from '../api/recordingKeys';
import { DeviceForm } from '../devices/DeviceForm';
import { NEW_DEVICE } from '../devices/deviceValues';
import { NewRecordingFields, type NewRecordingMode } from '../devices/NewRecordingFields';
import { ownTimeZone } from '../formatting/timeZone';
import { recordingSettingsOf, recordingValuesOf } from '../recordings/recordingValues';
import { notifyFailure } from '../widgets/notifyFailure';
import { PageHeader } from '../widgets/PageHeader';
import { queryKeys } from '../api/queryKeys';

async function setRecording(deviceId: string, mode: NewRecordingMode): Promise<void> {
  const { recording, etag } = await readRecording(deviceId);
  const settings = recordingSettingsOf(recordingValuesOf(recording));
  await replaceRecording(deviceId, { ...settings, mode, time_zone: ownTimeZone() }, etag);
}

export function NewDevicePage() {
  const navigate = useNavigate();
  const client = useQueryClient();
  const [mode, setMode] = useState<NewRecordingMode>('continuous');
  return (
    <>
      <PageHeader title="Add camera" back={{ to: '/', label: 'Cameras' }} />
      <DeviceForm
        initialValues={NEW_DEVICE}
        submitLabel="Add camera"
        onCancel={() => void navigate('/')}
        onSubmit={async (fields) => {
          const device = await createDevice(fields);
          // The camera exists: a failure of the second request must not offer to add it again.
          await setRecording(device.id, mode).catch((error: Error) =>
            notifyFailure(`The recording settings of “${device.name}” were not saved`, error),
          );
          for (const queryKey of [queryKeys.devices, queryKeys.streams, recordingKeys.all])
            void client.invalidateQueries({ queryKey });
          notifications.show({ message: `“${device.name}” was added.` });
          void navigate(`/devices/${device.id}${fields.start_mode === 'manual' ? '' : '?autoplay=1'}`);
        }}
      >
        <NewRecordingFields value={mode} onChange={setMode} />
      </DeviceForm>
    </>
  );
}
