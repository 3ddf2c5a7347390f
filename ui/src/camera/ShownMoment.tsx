// The moment on the screen, in the camera's time zone.
import { useShownMoment } from './useHistoryPlayer';
import type { HistoryPlayer } from '../players/HistoryPlayer';
import { formatMoment } from '../formatting/zonedTimes';

export function ShownMoment({ player, timeZone }: { player: HistoryPlayer; timeZone: string }) {
  const momentMs = useShownMoment(player);
  if (momentMs === null) return <span>–</span>;
  const seconds = Math.floor(momentMs / 1000) * 1000;
  return (
    <time dateTime={new Date(momentMs).toISOString()} data-testid="shown-moment" data-moment-ms={Math.round(momentMs)}>
      {formatMoment(timeZone, seconds)}
    </time>
  );
}
