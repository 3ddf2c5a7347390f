// The newest snapshot of a camera, below all other layers of the player until the first live frame covers it.
import { useNow } from '../widgets/useNow';
import { usePoster } from '../snapshots/usePoster';
import { formatMoment, formatTime } from '../formatting/zonedTimes';
import { dateOf } from '../formatting/timeZone';
import { BlobImage } from '../widgets/BlobImage';
import classes from './PlayerPoster.module.css';
import player from './Player.module.css';

interface PlayerPosterProps {
  deviceId: string;
  name: string;
  timeZone: string;
  /** Not connected: the picture is dimmed behind the play button. */
  isIdle: boolean;
}

const WIDTH = 1280;
const FRESH_MS = 30_000;

export function PlayerPoster({ deviceId, name, timeZone, isIdle }: PlayerPosterProps) {
  const { picture, takenAt } = usePoster(deviceId, WIDTH, true);
  const now = useNow(5_000);
  if (!picture) return null;
  const takenMs = Date.parse(takenAt ?? '');
  const isToday = takenAt && dateOf(timeZone, takenMs) === dateOf(timeZone, now);
  return (
    <>
      <BlobImage
        bytes={picture}
        className={`${player.layer} ${classes.poster}`}
        alt={`Newest picture of ${name}`}
        data-testid="poster"
        data-idle={isIdle || undefined}
      />
      {takenAt && now - takenMs > FRESH_MS && (
        <div className={classes.taken}>
          Picture from {isToday ? formatTime(timeZone, takenMs) : formatMoment(timeZone, takenMs)}
        </div>
      )}
    </>
  );
}
