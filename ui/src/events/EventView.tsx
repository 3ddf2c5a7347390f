// One event: its recording or picture, what is known about it, and the way to the events beside it.
import { ActionIcon, Anchor, Button, Group, Modal, Skeleton, Tooltip } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { IconArrowLeft, IconArrowRight, IconMovie, IconPhoto } from '@tabler/icons-react';
import { useEffect } from 'react';
import { Link } from 'react-router';
import { snapshotAddress } from '../addresses/bookmarkAddresses';
import { eventMomentAddress } from '../addresses/recordingAddresses';
import { ApiError } from '../api/http';
import type { CameraEvent } from '../api/events';
import { eventName, formatEventLength, formatScore } from '../formatting/eventTexts';
import { useViewerKeys } from '../snapshots/useViewerKeys';
import { Failure } from '../widgets/Failure';
import { Notice } from '../widgets/Notice';
import { StatisticsColumns } from '../widgets/StatisticsColumns';
import { Timestamp } from '../widgets/Timestamp';
import { EventPlayer } from './EventPlayer';
import { useEvent } from './useEvents';
import classes from './EventView.module.css';

interface EventViewProps {
  /** In the order of navigation; the open event may be missing from them. */
  events: CameraEvent[];
  openId: number;
  cameraOf: (deviceId: string | null) => string;
  timeZone: string;
  /** null closes the view; `isStep` marks a step from one event to another. */
  onOpen: (id: number | null, options?: { isStep?: boolean }) => void;
  /** Called near the last loaded event. */
  onNearEnd: () => void;
}

const NEAR_END = 5;

function rowsOf(event: CameraEvent, camera: string): [string, React.ReactNode][] {
  const rows: [string, React.ReactNode][] = [];
  if (event.device_id !== null)
    rows.push([
      'Camera',
      <Anchor key="camera" component={Link} to={`/devices/${event.device_id}`} inherit>
        {camera}
      </Anchor>,
    ]);
  rows.push(['Time', <Timestamp key="at" at={event.start} />]);
  const length = formatEventLength(event.start, event.end);
  const score = formatScore(event.score);
  if (length) rows.push(['Duration', length]);
  if (score) rows.push(['Score', score]);
  if (event.zone) rows.push(['Zone', event.zone]);
  if (event.text) rows.push(['Note', event.text]);
  return rows;
}

export function EventView({ events, openId, cameraOf, timeZone, onOpen, onNearEnd }: EventViewProps) {
  const index = events.findIndex(({ id }) => id === openId);
  const listed = events[index];
  const read = useEvent(listed ? null : openId);
  const event = listed ?? read.data;
  const isNarrow = useMediaQuery('(max-width: 40rem)', false, { getInitialValueInEffect: false });
  const newer = index > 0 ? events[index - 1] : undefined;
  const older = index >= 0 ? events[index + 1] : undefined;
  const go = (to: CameraEvent | undefined) => to && onOpen(to.id, { isStep: true });
  const close = () => onOpen(null);
  useViewerKeys({
    arrowright: () => go(older),
    arrowdown: () => go(older),
    arrowleft: () => go(newer),
    arrowup: () => go(newer),
    escape: close,
  });

  const isNearEnd = index >= 0 && index >= events.length - NEAR_END;
  useEffect(() => {
    if (isNearEnd) onNearEnd();
  }, [isNearEnd, onNearEnd]);

  const isGone = read.error instanceof ApiError && read.error.status === 404 && !event;
  const name = event ? eventName(event) : 'Event';
  const camera = event ? cameraOf(event.device_id) : '';
  const step = (to: CameraEvent | undefined, label: string, key: string, Icon: typeof IconArrowLeft) => (
    <Tooltip label={label}>
      <ActionIcon
        variant="default"
        size={32}
        aria-label={label}
        aria-keyshortcuts={key}
        disabled={!to}
        onClick={() => go(to)}
      >
        <Icon size={18} stroke={1.8} />
      </ActionIcon>
    </Tooltip>
  );
  return (
    <Modal
      opened
      onClose={close}
      closeOnEscape={false}
      returnFocus={false}
      size={980}
      centered
      radius="md"
      fullScreen={isNarrow}
      transitionProps={{ duration: 120 }}
      title={<span className={classes.title}>{camera ? `${name}, ${camera}` : name}</span>}
    >
      {/* The view has the focus itself: arrows and Space work at once. */}
      <div className={classes.view} tabIndex={-1} data-autofocus>
        {isGone && (
          <Notice tone="still" title="Event not found">
            It is no longer kept, or the link is wrong.
          </Notice>
        )}
        {read.error && !isGone && !event && (
          <Failure title="The event could not be loaded" error={read.error} onRetry={() => void read.refetch()} />
        )}
        {!event && !read.error && <Skeleton style={{ aspectRatio: '16 / 9' }} />}
        {event && (
          <>
            {event.device_id !== null && (
              <div className={classes.player}>
                <EventPlayer
                  key={event.id}
                  event={event}
                  deviceId={event.device_id}
                  camera={camera}
                  timeZone={timeZone}
                />
              </div>
            )}
            <Group gap="xs">
              {step(newer, 'Newer event', 'ArrowLeft', IconArrowLeft)}
              {step(older, 'Older event', 'ArrowRight', IconArrowRight)}
              {event.device_id !== null && (
                <Button
                  size="xs"
                  variant="default"
                  component={Link}
                  to={eventMomentAddress(event.device_id, Date.parse(event.start))}
                  leftSection={<IconMovie size={15} />}
                >
                  Show on the timeline
                </Button>
              )}
              {event.snapshot_id !== null && (
                <Button
                  size="xs"
                  variant="default"
                  component={Link}
                  to={snapshotAddress(event.snapshot_id)}
                  leftSection={<IconPhoto size={15} />}
                >
                  Show snapshot
                </Button>
              )}
            </Group>
            <StatisticsColumns rows={rowsOf(event, camera)} />
          </>
        )}
      </div>
    </Modal>
  );
}
