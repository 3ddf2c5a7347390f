// The picture of the full view: thumbnail while loading, zoom on a click, previous or next on a swipe.
import { IconPhotoOff } from '@tabler/icons-react';
import { useRef, useState, type MouseEvent, type PointerEvent } from 'react';
import type { Snapshot } from '../api/snapshots';
import classes from './SnapshotViewer.module.css';

interface SnapshotPictureProps {
  snapshot: Snapshot;
  name: string;
  /** 1 for the next picture, −1 for the previous one. */
  onSwipe: (step: 1 | -1) => void;
  /** Called on a swipe down or a click outside the picture. */
  onClose: () => void;
}

const SWIPE_PX = 60;

export function SnapshotPicture({ snapshot, name, onSwipe, onClose }: SnapshotPictureProps) {
  const frame = useRef<HTMLDivElement>(null);
  const image = useRef<HTMLImageElement>(null);
  const touch = useRef<{ x: number; y: number } | null>(null);
  const [state, setState] = useState<'loading' | 'loaded' | 'broken'>('loading');
  const [isZoomed, setZoomed] = useState(false);
  const [canZoom, setCanZoom] = useState(false);

  const measure = () => {
    if (image.current) setCanZoom(snapshot.width > image.current.clientWidth * 1.15);
  };
  const zoom = (event: MouseEvent<HTMLImageElement>) => {
    if (!canZoom && !isZoomed) return;
    const box = event.currentTarget.getBoundingClientRect();
    const [x, y] = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
    setZoomed(!isZoomed);
    // After zooming, the clicked point is in the middle.
    requestAnimationFrame(() => {
      const view = frame.current;
      if (view)
        view.scrollTo(view.scrollWidth * x - view.clientWidth / 2, view.scrollHeight * y - view.clientHeight / 2);
    });
  };
  const lift = (event: PointerEvent) => {
    const from = touch.current;
    touch.current = null;
    if (!from || isZoomed) return;
    const [dx, dy] = [event.clientX - from.x, event.clientY - from.y];
    if (Math.abs(dx) > SWIPE_PX && Math.abs(dx) > Math.abs(dy) * 1.5) onSwipe(dx < 0 ? 1 : -1);
    else if (dy > SWIPE_PX * 1.5 && dy > Math.abs(dx) * 1.5) onClose();
  };

  return (
    <div
      ref={frame}
      className={classes.frame}
      data-zoomed={isZoomed || undefined}
      onPointerDown={(event) => {
        if (event.pointerType === 'touch' && event.isPrimary) touch.current = { x: event.clientX, y: event.clientY };
      }}
      onPointerUp={lift}
      onPointerCancel={() => {
        touch.current = null;
      }}
      onClick={(event) => event.target === event.currentTarget && onClose()}
    >
      {state === 'broken' ? (
        <div className={classes.gone}>
          <IconPhotoOff size={34} stroke={1.4} aria-hidden />
          The picture cannot be shown.
        </div>
      ) : (
        <img
          ref={image}
          className={classes.image}
          src={snapshot.image_url}
          alt={name}
          width={snapshot.width}
          height={snapshot.height}
          data-testid="snapshot-image"
          data-zooms={canZoom || isZoomed || undefined}
          draggable={false}
          style={state === 'loading' ? { backgroundImage: `url("${snapshot.thumbnail_url}")` } : undefined}
          onLoad={() => {
            setState('loaded');
            measure();
          }}
          onPointerEnter={measure}
          onError={() => setState('broken')}
          onClick={zoom}
        />
      )}
    </div>
  );
}
