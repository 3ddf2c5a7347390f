// Cards of the most recent captures, over the picture so that they are visible in full screen too.
import { useState } from 'react';
import { later } from '../frame/later';
import type { Snapshot } from '../api/snapshots';
import type { CaptureControl } from './useCapture';
import { CaptureCard } from './CaptureCard';
import classes from './CaptureCards.module.css';

const SnapshotViewer = later(() => import('./SnapshotViewer').then((module) => module.SnapshotViewer));

interface CaptureCardsProps {
  capture: CaptureControl;
  timeZone: string;
  /** Plays the recording at a moment. */
  onSeek: (atMs: number) => void;
}

export function CaptureCards({ capture, timeZone, onSeek }: CaptureCardsProps) {
  const [shown, setShown] = useState<Snapshot | null>(null);
  const { entries, presses, dismiss } = capture;
  return (
    <>
      {/* A new key for each press restarts the flash animation. */}
      {presses > 0 && <div key={presses} className={classes.flash} aria-hidden />}
      <div className={classes.cards} role="status" onDoubleClick={(event) => event.stopPropagation()}>
        {entries.map((entry) => (
          <CaptureCard
            key={entry.key}
            entry={entry}
            timeZone={timeZone}
            onOpen={setShown}
            onSeek={(atMs) => {
              dismiss(entry.key);
              onSeek(atMs);
            }}
            onDismiss={dismiss}
          />
        ))}
      </div>
      {shown && (
        <SnapshotViewer
          snapshots={[shown]}
          openId={shown.id}
          timeZone={timeZone}
          onOpen={(id) => id === null && setShown(null)}
        />
      )}
    </>
  );
}
