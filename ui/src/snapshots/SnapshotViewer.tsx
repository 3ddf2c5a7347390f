// Full-screen view of one snapshot with its details; keys, buttons and swipes go to the next and the previous one.
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
import { downloadFile } from './downloadFile';
import { SnapshotDetails } from './SnapshotDetails';
import { SnapshotPicture } from './SnapshotPicture';
import { pictureName } from './snapshotFormatting';
import classes from './SnapshotViewer.module.css';

interface SnapshotViewerProps {
  /** In the order of navigation; the open snapshot may be missing from them. */
  snapshots: Snapshot[];
  openId: string;
  timeZone: string;
  /** The number of snapshots, including those not loaded yet. */
  total?: number;
  /** null closes the view; `isStep` marks a step from one snapshot to another. */
  onOpen: (id: string | null, options?: { isStep?: boolean }) => void;
  /** Called near the last loaded snapshot. */
  onNearEnd?: () => void;
}

const NEAR_END = 5;

export function SnapshotViewer({
  snapshots,
  openId,
  timeZone,
  total = snapshots.length,
  onOpen,
  onNearEnd,
}: SnapshotViewerProps) {
  const index = snapshots.findIndex(({ id }) => id === openId);
  const read = useSnapshot(openId);
  const snapshot = snapshots[index] ?? read.data?.snapshot;
  const [hasDetails, setHasDetails] = useState(true);
  const removal = useSnapshotDeletion();
  const previous = index > 0 ? snapshots[index - 1] : undefined;
  const next = index >= 0 ? snapshots[index + 1] : undefined;

  const go = (to: Snapshot | undefined) => to && onOpen(to.id, { isStep: true });
  const close = () => onOpen(null);
  const remove = () => {
    if (!snapshot) return;
    removal.mutate([snapshot.id]);
    const neighbour = next ?? previous;
    if (neighbour) go(neighbour);
    else close();
  };
  useViewerKeys({
    arrowright: () => go(next),
    arrowleft: () => go(previous),
    home: () => go(snapshots[0]),
    end: () => go(snapshots.at(-1)),
    delete: remove,
    d: () => snapshot && downloadFile(snapshotDownloadUrl(snapshot, 'jpeg')),
    i: () => setHasDetails((shown) => !shown),
    escape: close,
  });

  const isNearEnd = index >= 0 && index >= snapshots.length - NEAR_END;
  useEffect(() => {
    if (isNearEnd) onNearEnd?.();
  }, [isNearEnd, onNearEnd]);

  // Preloads the neighbouring pictures.
  useEffect(() => {
    for (const neighbour of [next, previous]) if (neighbour) new Image().src = neighbour.image_url;
  }, [next, previous]);

  const isGone = read.error instanceof ApiError && read.error.status === 404 && !snapshots[index];
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
              <span className={classes.place}>{index >= 0 && total > 1 ? `${index + 1} of ${total}` : ''}</span>
              <Tooltip label={hasDetails ? 'Hide details (I)' : 'Show details (I)'}>
                <ActionIcon
                  className={classes.button}
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
            {isGone && <div className={classes.gone}>Snapshot not found: it was deleted, or the link is wrong.</div>}
            {read.error && !isGone && !snapshot && (
              <div className={classes.gone}>
                <Failure
                  title="The snapshot could not be loaded"
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
