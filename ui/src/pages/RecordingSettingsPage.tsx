// Change how a camera is recorded, without losing what somebody else saved meanwhile.
import { Skeleton } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useNavigate, useParams } from 'react-router';
import { ApiError } from '../api/http';
import { replaceRecording } from '../api/recordings';
import type { RecordingSettings as Settings } from '../api/recordingTypes';
import { ConflictNotice } from '../widgets/ConflictNotice';
import { Failure } from '../widgets/Failure';
import { PageHeader } from '../widgets/PageHeader';
import { RecordingSettings } from '../recordings/RecordingSettings';
import { sentence } from '../formatting/sentence';
import { recordingKeys } from '../api/recordingKeys';
import { useRecordingToEdit } from '../recordings/useRecordingToEdit';
import { NotFoundPage } from './NotFoundPage';

export function RecordingSettingsPage() {
  const { id = '' } = useParams();
  const navigate = useNavigate();
  const client = useQueryClient();
  const { data, error, refetch } = useRecordingToEdit(id);
  const [refused, setRefused] = useState<Settings | null>(null);
  if (error instanceof ApiError && error.status === 404) return <NotFoundPage />;

  const leave = () => void navigate(`/devices/${id}`);
  const save = async (settings: Settings, etag: string | null) => {
    const { recording } = await replaceRecording(id, settings, etag);
    void client.invalidateQueries({ queryKey: recordingKeys.all });
    notifications.show({ message: `The recording of “${recording.device_name}” was saved.` });
    leave();
  };
  const name = data?.recording.device_name;

  return (
    <>
      <PageHeader
        title={name ? `Recording of ${name}` : 'Recording'}
        back={{ to: `/devices/${id}`, label: name ?? 'Camera' }}
      />
      {error && !data && (
        <Failure title="The recording could not be read" error={error} onRetry={() => void refetch()} />
      )}
      {!data && !error && <Skeleton height={520} maw={880} radius="md" />}
      {data && (
        <RecordingSettings
          key={data.etag ?? 'recording'}
          recording={data.recording}
          notice={
            refused && (
              <ConflictNotice
                onReload={() => {
                  setRefused(null);
                  void refetch();
                }}
                onOverwrite={() => {
                  save(refused, null).catch((failure: Error) => {
                    notifications.show({
                      color: 'red',
                      title: 'The recording’s settings were not saved',
                      message: sentence(failure.message),
                    });
                  });
                }}
              />
            )
          }
          onCancel={leave}
          onSubmit={async (settings) => {
            try {
              await save(settings, data.etag);
            } catch (failure) {
              if (!(failure instanceof ApiError) || failure.status !== 412) throw failure;
              setRefused(settings);
              window.scrollTo({ top: 0 });
            }
          }}
        />
      )}
    </>
  );
}
