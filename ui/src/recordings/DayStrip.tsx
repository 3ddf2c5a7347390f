// One day of one device as a 24-hour strip; a click plays from that time.
import { useState, type MouseEvent } from 'react';
import { useNavigate } from 'react-router';
import { useDayTimeline } from './useDayTimeline';
import { useNow } from '../widgets/useNow';
import { NO_TIMELINE } from '../timeline/model';
import { dayBounds } from '../formatting/timeZone';
import { formatTime } from '../formatting/zonedTimes';
import { formatState, formatWhere } from '../timeline/labels';
import { formatDate } from '../formatting/calendarDates';
import { deviceMomentAddress } from '../addresses/recordingAddresses';
import classes from './DayStrip.module.css';

interface DayStripProps {
  deviceId: string;
  name: string;
  date: string;
  timeZone: string;
}

export function DayStrip({ deviceId, name, date, timeZone }: DayStripProps) {
  const { data = NO_TIMELINE, isPending } = useDayTimeline(deviceId, date, timeZone);
  const now = useNow(30_000);
  const navigate = useNavigate();
  const [hoverMs, setHoverMs] = useState<number | null>(null);
  const { startMs, endMs } = dayBounds(timeZone, date);
  const share = (ms: number) => Math.min(100, Math.max(0, ((ms - startMs) / (endMs - startMs)) * 100));
  const box = (from: number, to: number) => ({
    left: `${share(from)}%`,
    width: `${Math.max(0.15, share(to) - share(from))}%`,
  });
  const momentOf = (event: MouseEvent) => {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    return startMs + ((event.clientX - left) / Math.max(1, width)) * (endMs - startMs);
  };
  const first = data.spans[0];
  const firstMs = first ? Math.max(first.startMs, startMs) : startMs;
  const label = first
    ? `${name}, ${formatDate(date)}: footage from ${formatTime(timeZone, firstMs)}`
    : `${name}, ${formatDate(date)}: nothing recorded`;
  const where = hoverMs === null ? null : formatWhere(data, hoverMs);
  return (
    <div className={classes.wrap}>
      <button
        type="button"
        className={classes.strip}
        aria-label={label}
        aria-busy={isPending}
        disabled={!first && !isPending}
        onMouseMove={(event) => setHoverMs(momentOf(event))}
        onMouseLeave={() => setHoverMs(null)}
        // The keyboard has no position on the strip: it plays from the first footage of the day.
        onClick={(event) =>
          void navigate(deviceMomentAddress(deviceId, event.detail === 0 ? firstMs : Math.min(now, momentOf(event))))
        }
      >
        {data.gaps.map((gap) => (
          <i
            key={`${gap.startMs} ${gap.reason}`}
            className={gap.tone === 'lost' ? classes.lost : classes.unwanted}
            style={box(gap.startMs, gap.endMs ?? now)}
          />
        ))}
        {data.spans.map((span) => (
          <i key={span.startMs} className={classes.footage} style={box(span.startMs, span.endMs)} />
        ))}
        {data.places.map(({ startMs, endMs, where: place }) => (
          <i key={startMs} className={`${classes.place} ${classes[place]}`} style={box(startMs, endMs)} />
        ))}
        {[6, 12, 18].map((hour) => (
          <i key={hour} className={classes.hour} style={{ left: `${(hour / 24) * 100}%` }} />
        ))}
        {now < endMs && now > startMs && <i className={classes.future} style={{ left: `${share(now)}%` }} />}
      </button>
      {hoverMs !== null && (
        <div className={classes.label} style={{ left: `${share(hoverMs)}%` }} aria-hidden>
          <strong>{formatTime(timeZone, hoverMs)}</strong> {formatState(data, hoverMs, now)}
          {where && `. ${where}`}
        </div>
      )}
    </div>
  );
}
