// One camera: live and recorded player, recording, statistics, stream and history.
import { Button, Skeleton, Text } from '@mantine/core';
import { IconPencil, IconPlayerPlay, IconPlayerStop, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import { Link, useNavigate, useParams, useSearchParams } from 'react-router';
import { ApiError } from '../api/http';
import { CameraView } from '../camera/CameraView';
import { DeviceAbout } from '../devices/DeviceAbout';
import { EmbedInfo } from '../devices/EmbedInfo';
import { EventHistory } from '../devices/EventHistory';
import { DevicePlugins } from '../options/DevicePlugins';
import { useRecording } from '../recordings/useRecording';
import { CameraZone } from '../widgets/CameraZone';
import { Failure } from '../widgets/Failure';
import { PageHeader } from '../widgets/PageHeader';
import { Panel } from '../widgets/Panel';
import { PluginPanels } from '../panels/PluginPanels';
import { RecentSnapshots } from '../snapshots/RecentSnapshots';
import { RecordingPanel } from '../recordings/RecordingPanel';
import { StateBadge } from '../widgets/StateBadge';
import { LiveStatsList } from '../camera/LiveStatsList';
import { StreamNotice } from '../devices/StreamNotice';
import { StreamDetails } from '../devices/StreamDetails';
import { useDeleteDevice } from '../devices/useDeleteDevice';
import { useDevice } from '../devices/useDevice';
import { useIsSettled } from '../widgets/useIsSettled';
import { useStream } from '../devices/useStream';
import { useStreamControl } from '../devices/useStreamControl';
import { useTryNow } from '../devices/useTryNow';
import type { LiveStats } from '../players/receiverStatistics';
import { NotFoundPage } from './NotFoundPage';
import classes from './DevicePage.module.css';

/** The name and the notice above the columns push them down; until these are known the columns are loaded but not seen. */
const WAIT_FOR_TITLE_MS = 1_500;

export function DevicePage() {
  const { id = '' } = useParams();
  const [search] = useSearchParams();
  const navigate = useNavigate();
  const deviceQuery = useDevice(id);
  const streamQuery = useStream(id);
  const control = useStreamControl();
  const tryNow = useTryNow(id);
  const askToDelete = useDeleteDevice(() => void navigate('/'));
  const timeZone = useRecording(id).data?.recording.time_zone;
  const isSettled = useIsSettled(WAIT_FOR_TITLE_MS);
  const [statistics, setStatistics] = useState<LiveStats | null>(null);
  const isKnown = !(deviceQuery.isPending || streamQuery.isPending);
  // A name that comes after the columns were shown must not push them down.
  const [isLate, setLate] = useState(false);
  if (isSettled && !isKnown && !isLate) setLate(true);

  const device = deviceQuery.data?.device;
  const stream = streamQuery.data;
  if (deviceQuery.error instanceof ApiError && deviceQuery.error.status === 404) return <NotFoundPage isCamera />;

  const isDesired = (stream?.desired ?? device?.desired) === 'running';
  const state = stream?.observed ?? device?.state;
  const isShown = isSettled || isKnown;
  return (
    <CameraZone value={timeZone ?? null}>
      <PageHeader
        title={device?.name ?? stream?.device_name ?? 'Camera'}
        back={{ to: '/', label: 'Cameras' }}
        lines={isLate ? 1 : 2}
        beside={state && <StateBadge state={state} isEnabled={device?.enabled ?? true} />}
      >
        <Button
          variant="default"
          leftSection={
            isDesired ? <IconPlayerStop size={16} stroke={1.7} /> : <IconPlayerPlay size={16} stroke={1.7} />
          }
          loading={control.isPending}
          disabled={!device?.enabled}
          onClick={() =>
            device &&
            control.mutate({
              id,
              name: device.name,
              desired: isDesired ? 'stopped' : 'running',
              isRecorded: (stream?.recording ?? device.recording)?.observed === 'recording',
            })
          }
        >
          {isDesired ? 'Stop' : 'Start'}
        </Button>
        <Button
          variant="default"
          component={Link}
          to={`/devices/${id}/edit`}
          leftSection={<IconPencil size={16} stroke={1.7} />}
        >
          Edit
        </Button>
        <Button
          visibleFrom="sm"
          variant="default"
          c="var(--vas-bad)"
          leftSection={<IconTrash size={16} stroke={1.7} />}
          disabled={!device}
          onClick={() => device && askToDelete(device)}
        >
          Delete
        </Button>
      </PageHeader>

      {deviceQuery.error && !device && (
        <Failure
          title="The camera could not be loaded"
          error={deviceQuery.error}
          onRetry={() => void deviceQuery.refetch()}
        />
      )}
      {device && stream && (
        <div className={classes.notice}>
          <StreamNotice
            device={device}
            stream={stream}
            onStart={() => control.mutate({ id, name: device.name, desired: 'running' })}
            onTryNow={() => tryNow.mutate()}
          />
        </div>
      )}
      <div className={classes.columns} data-awaited={!isShown || undefined}>
        <div className={classes.column}>
          <CameraView
            key={id}
            deviceId={id}
            name={device?.name ?? 'this camera'}
            stream={stream}
            isAutoplay={search.get('autoplay') === '1'}
            onStatistics={setStatistics}
          />
          <div className={classes.last}>
            <EventHistory deviceId={id} />
          </div>
          {isShown && <PluginPanels place="device" deviceId={id} className={classes.last} />}
        </div>
        <div className={classes.column}>
          {!search.has('t') && (
            <Panel title="Live statistics">
              {/* Always as high, so that nothing below moves when live video starts or reconnects. */}
              <LiveStatsList statistics={statistics} isOnDark={false} />
              <Text size="xs" c="dimmed" mt="xs">
                Measured while you watch live. The latency is estimated from the jitter buffer and half a round trip,
                without the camera’s own delay.
              </Text>
            </Panel>
          )}
          <RecordingPanel deviceId={id} stream={stream} />
          <RecentSnapshots deviceId={id} />
          {stream ? <StreamDetails stream={stream} /> : <Skeleton height={380} radius="md" />}
          <DevicePlugins deviceId={id} outputs={stream?.outputs ?? []} />
          {device && <DeviceAbout device={device} />}
          <EmbedInfo deviceId={id} />
          {/* On a phone, where it would be within reach of a thumb, far from the picture. */}
          {device && (
            <Button
              hiddenFrom="sm"
              className={classes.last ?? ''}
              variant="default"
              c="var(--vas-bad)"
              leftSection={<IconTrash size={16} stroke={1.7} />}
              onClick={() => askToDelete(device)}
            >
              Delete camera…
            </Button>
          )}
        </div>
      </div>
    </CameraZone>
  );
}
