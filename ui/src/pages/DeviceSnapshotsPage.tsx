// A camera's snapshot schedules and time-lapses.
import { Button, Skeleton, Stack } from '@mantine/core';
import { IconPhoto } from '@tabler/icons-react';
import { Link, useParams } from 'react-router';
import { ApiError } from '../api/http';
import { galleryAddress } from '../addresses/bookmarkAddresses';
import { Failure } from '../widgets/Failure';
import { PageHeader } from '../widgets/PageHeader';
import { SchedulePanel } from '../schedules/SchedulePanel';
import { TimeLapsePanel } from '../schedules/TimeLapsePanel';
import { useDevice } from '../devices/useDevice';
import { useRecording } from '../recordings/useRecording';
import { useSchedules } from '../schedules/useSchedules';
import { useShownZone } from '../widgets/useShownZone';
import { NotFoundPage } from './NotFoundPage';

export function DeviceSnapshotsPage() {
  const { id = '' } = useParams();
  const { data, error, refetch } = useDevice(id);
  const cameraZone = useRecording(id).data?.recording.time_zone;
  const timeZone = useShownZone(cameraZone);
  const schedules = useSchedules(id).data;
  if (error instanceof ApiError && error.status === 404) return <NotFoundPage isCamera />;
  const name = data?.device.name;
  return (
    <>
      <PageHeader
        title={name ? `Snapshots of ${name}` : 'Snapshots'}
        back={{ to: `/devices/${id}`, label: name ?? 'Camera' }}
      >
        <Button
          variant="default"
          component={Link}
          to={galleryAddress(id)}
          leftSection={<IconPhoto size={16} stroke={1.7} />}
        >
          All snapshots
        </Button>
      </PageHeader>
      {error && !data && (
        <Failure title="The camera could not be loaded" error={error} onRetry={() => void refetch()} />
      )}
      {!data && !error && <Skeleton height={240} maw={980} radius="md" />}
      {data && (
        <Stack gap="md" maw={980}>
          <SchedulePanel deviceId={id} timeZone={cameraZone ?? timeZone} />
          <TimeLapsePanel deviceId={id} timeZone={timeZone} hasSchedules={(schedules?.length ?? 0) > 0} />
        </Stack>
      )}
    </>
  );
}
