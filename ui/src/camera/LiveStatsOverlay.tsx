// The live statistics over the picture, for full screen.
import type { LiveFigures } from '../players/receiverStatistics';
import { StatisticsList } from './LiveStatsList';
import classes from './LiveStatsOverlay.module.css';

export function StatisticsOverlay({ figures }: { figures: LiveFigures | null }) {
  return (
    <div className={classes.overlay}>
      <StatisticsList figures={figures} />
    </div>
  );
}
