// The live statistics on top of the picture, also in full screen.
import type { LiveStats } from '../players/receiverStatistics';
import { LiveStatsList } from './LiveStatsList';
import classes from './LiveStatsOverlay.module.css';

export function LiveStatsOverlay({ statistics }: { statistics: LiveStats | null }) {
  return (
    <div className={classes.overlay}>
      <LiveStatsList statistics={statistics} />
    </div>
  );
}
