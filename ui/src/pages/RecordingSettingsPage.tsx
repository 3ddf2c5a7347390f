// The page of a camera's recording settings; a change that somebody else saved in the meantime is not overwritten unasked.
import { Skeleton } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate, useParams } from 'react-router';
import { ApiError } from '../api/http';
import { replaceRecording } from '../api/recordings';
import type { RecordingSettings as Settings } from '../api/recordingTypes';
import { Failure } from '../widgets/Failure';
import { PageHeader } from '../widgets/PageHeader';
import { RecordingSettings } from '../recordings/RecordingSettings';
import { recordingKeys } from '../api/recordingKeys';
import { useRecordingToEdit } from '../recordings/useRecordingToEdit';
import { useVersionedSave } from '../widgets/useVersionedSave';
import { NotFoundPage } from './NotFoundPage';

export function RecordingSettingsPage() {
  const { id = '' } = useParams();
  const navigate = useNavigate();
  const client = useQueryClient();
  const { data, error, refetch } = useRecordingToEdit(id);
  const leave = () => void navigate(`/devices/${id}`);
  const save = async (settings: Settings, etag: string | null) => {
    const { recording } = await replaceRecording(id, settings, etag);
    void client.invalidateQueries({ queryKey: recordingKeys.all });
    notifications.show({ message: `The recording settings of “${recording.device_name}” were saved.` });
    leave();
  };
  const name = data?.recording.device_name;
  const { notice, submit } = useVersionedSave({
    save,
    onReload: () => void refetch(),
    failureTitle: 'The recording settings were not saved',
  });

  if (error instanceof ApiError && error.status === 404) return <NotFoundPage isCamera />;

  return (
    <>
      <PageHeader
        title={name ? `Recording settings of ${name}` : 'Recording settings'}
        back={{ to: `/devices/${id}`, label: name ?? 'Camera' }}
      />
      {error && !data && (
        <Failure title="The recording settings could not be loaded" error={error} onRetry={() => void refetch()} />
      )}
      {!data && !error && <Skeleton height={520} maw={880} radius="md" />}
      {data && (
        <RecordingSettings
          key={data.etag ?? 'recording'}
          recording={data.recording}
          notice={notice}
          onCancel={leave}
          onSubmit={(settings) => submit(settings, data.etag)}
        />
      )}
    </>
  );
}
