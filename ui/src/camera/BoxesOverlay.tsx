// Boxes of objects over the picture, live or recorded.
import { useEffect, useRef, type RefObject } from 'react';
import { LiveBoxes, RecordedBoxes } from '../players/boxFeeds';
import { BoxPainter, type FrameTimes } from '../players/BoxPainter';
import { BoxTracks, type ShownBox } from '../players/boxTracks';
import classes from './BoxesOverlay.module.css';

interface BoxesOverlayProps {
  deviceId: string;
  video: RefObject<HTMLVideoElement | null>;
  isRecorded: boolean;
  momentOf: (frame: FrameTimes) => number | null;
}

/** Live, detectors are about a second behind the picture. */
const LIVE_AHEAD_MS = 2_000;
const RECORDED_AHEAD_MS = 500;

const describe = ({ label, score }: ShownBox): string =>
  `${label.charAt(0).toUpperCase()}${label.slice(1)} ${Math.round(score * 100)} %`;

export function BoxesOverlay({ deviceId, video, isRecorded, momentOf }: BoxesOverlayProps) {
  const layer = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!video.current || !layer.current) return undefined;
    const tracks = new BoxTracks();
    // eslint-disable-next-line prefer-const -- the feed is the painter's, and tells it of changes
    let painter: BoxPainter | undefined;
    const redraw = () => painter?.redraw();
    const feed = isRecorded ? new RecordedBoxes(deviceId, tracks, redraw) : new LiveBoxes(deviceId, tracks, redraw);
    painter = new BoxPainter({
      video: video.current,
      layer: layer.current,
      tracks,
      feed,
      momentOf,
      aheadMs: isRecorded ? RECORDED_AHEAD_MS : LIVE_AHEAD_MS,
      classes: { box: classes.box ?? '', label: classes.label ?? '' },
      describe,
    });
    return () => {
      feed.close();
      painter.close();
    };
  }, [deviceId, video, isRecorded, momentOf]);
  return <div ref={layer} className={classes.boxes} data-testid="boxes" aria-hidden />;
}
