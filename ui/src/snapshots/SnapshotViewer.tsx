// One snapshot as large as the screen: on and back by keys, buttons and swipes, with what is known of it beside it.
import { ActionIcon, Modal, Tooltip } from '@mantine/core';
import { IconArrowLeft, IconArrowRight, IconInfoCircle, IconX } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import { ApiError } from '../api/http';
import { snapshotDownloadUrl, type Snapshot } from '../api/snapshots';
import { useFullscreenTarget } from '../widgets/useFullscreenTarget';
import { useSnapshot } from './useSnapshot';
import { useSnapshotDeletion } from './useSnapshotDeletion';
import { useViewerKeys } from './useViewerKeys';
import { Failure } from '../widgets/Failure';
import { SnapshotDetails } from './SnapshotDetails';
import { SnapshotPicture } from './SnapshotPicture';
import { pictureName } from './snapshotFormatting';
import classes from './SnapshotViewer.module.css';

interface SnapshotViewerProps {
  /** In the order in which the keys go through them; the one that is open may be another. */
  snapshots: Snapshot[];
  openId: string;
  timeZone: string;
  /** How many there are with those that are not read yet. */
  total?: number;
  /** null closes it; `isStep`: from one to the next. */
  onOpen: (id: string | null, options?: { isStep?: boolean }) => void;
  /** The last one that is read is near. */
  onNearEnd?: () => void;
}

const NEAR_END = 5;

/** What a click on the address does, for a file that the browser is to keep. */
function download(url: string): void {
  const link = document.createElement('a');
  link.href = url;
  link.download = '';
  link.click();
}

export function SnapshotViewer({
  snapshots,
  openId,
  timeZone,
  total = snapshots.length,
  onOpen,
  onNearEnd,
}: SnapshotViewerProps) {
  const place = snapshots.findIndex(({ id }) => id === openId);
  const read = useSnapshot(openId);
  const snapshot = snapshots[place] ?? read.data?.snapshot;
  const [hasDetails, setHasDetails] = useState(true);
  const removal = useSnapshotDeletion();
  const previous = place > 0 ? snapshots[place - 1] : undefined;
  const next = place >= 0 ? snapshots[place + 1] : undefined;

  const go = (to: Snapshot | undefined) => to && onOpen(to.id, { isStep: true });
  const close = () => onOpen(null);
  const remove = () => {
    if (!snapshot) return;
    removal.mutate([snapshot.id]);
    const beside = next ?? previous;
    if (beside) go(beside);
    else close();
  };
  useViewerKeys({
    arrowright: () => go(next),
    arrowleft: () => go(previous),
    home: () => go(snapshots[0]),
    end: () => go(snapshots.at(-1)),
    delete: remove,
    d: () => snapshot && download(snapshotDownloadUrl(snapshot, 'jpeg')),
    i: () => setHasDetails((shown) => !shown),
    escape: close,
  });

  const isNearEnd = place >= 0 && place >= snapshots.length - NEAR_END;
  useEffect(() => {
    if (isNearEnd) onNearEnd?.();
  }, [isNearEnd, onNearEnd]);

  // The neighbours are there before they are asked for.
  useEffect(() => {
    for (const beside of [next, previous]) if (beside) new Image().src = beside.image_url;
  }, [next, previous]);

  const isGone = read.error instanceof ApiError && read.error.status === 404 && !snapshots[place];
  return (
    <Modal.Root
      opened
      onClose={close}
      fullScreen
      closeOnEscape={false}
      transitionProps={{ duration: 120 }}
      portalProps={useFullscreenTarget()}
    >
      <Modal.Overlay />
      <Modal.Content
        className={classes.content}
        aria-label={snapshot ? `Snapshot of ${pictureName(snapshot, timeZone)}` : 'Snapshot'}
      >
        <Modal.Body className={classes.viewer} data-details={hasDetails || undefined}>
          <div className={classes.stage} tabIndex={-1} data-autofocus>
            <div className={classes.top}>
              <span className={classes.place}>{place >= 0 && total > 1 ? `${place + 1} of ${total}` : ''}</span>
              <Tooltip label={hasDetails ? 'Hide the details (I)' : 'Show the details (I)'}>
                <ActionIcon
                  className={`${classes.button} ${classes.toggle}`}
                  variant="transparent"
                  size={40}
                  aria-label="Details"
                  aria-pressed={hasDetails}
                  onClick={() => setHasDetails(!hasDetails)}
                >
                  <IconInfoCircle size={21} stroke={1.7} />
                </ActionIcon>
              </Tooltip>
              <Tooltip label="Close (Esc)">
                <ActionIcon
                  className={classes.button}
                  variant="transparent"
                  size={40}
                  aria-label="Close"
                  onClick={close}
                >
                  <IconX size={22} stroke={1.7} />
                </ActionIcon>
              </Tooltip>
            </div>
            {snapshot && (
              <SnapshotPicture
                key={snapshot.id}
                snapshot={snapshot}
                name={pictureName(snapshot, timeZone)}
                onSwipe={(step) => go(step > 0 ? next : previous)}
                onClose={close}
              />
            )}
            {isGone && (
              <div className={classes.gone}>This snapshot is not there: it was deleted, or the link is wrong.</div>
            )}
            {read.error && !isGone && !snapshot && (
              <div className={classes.gone}>
                <Failure
                  title="The snapshot could not be read"
                  error={read.error}
                  onRetry={() => void read.refetch()}
                />
              </div>
            )}
            {previous && (
              <ActionIcon
                className={`${classes.step} ${classes.back}`}
                variant="transparent"
                size={48}
                radius="xl"
                aria-label="Previous snapshot"
                aria-keyshortcuts="ArrowLeft"
                onClick={() => go(previous)}
              >
                <IconArrowLeft size={22} stroke={1.8} />
              </ActionIcon>
            )}
            {next && (
              <ActionIcon
                className={`${classes.step} ${classes.on}`}
                variant="transparent"
                size={48}
                radius="xl"
                aria-label="Next snapshot"
                aria-keyshortcuts="ArrowRight"
                onClick={() => go(next)}
              >
                <IconArrowRight size={22} stroke={1.8} />
              </ActionIcon>
            )}
          </div>
          {snapshot && hasDetails && (
            <aside className={classes.details} aria-label="Details">
              <SnapshotDetails
                key={snapshot.id}
                snapshot={read.data?.snapshot.id === snapshot.id ? read.data.snapshot : snapshot}
                etag={read.data?.etag ?? null}
                isRead={read.data?.snapshot.id === snapshot.id}
                timeZone={timeZone}
                onReload={() => void read.refetch()}
                onDelete={remove}
              />
            </aside>
          )}
        </Modal.Body>
      </Modal.Content>
    </Modal.Root>
  );
}
