// Events by day, as tiles. Arrow keys go from tile to tile, Enter opens one.
import { useCallback, useEffect, useMemo, useRef, useState, type CSSProperties, type KeyboardEvent } from 'react';
import type { CameraEvent } from '../api/events';
import { addDays, formatDay } from '../formatting/calendarDates';
import { dateOf } from '../formatting/timeZone';
import { EventTile } from './EventTile';
import { tileByArrow } from './gridKeys';
import classes from './EventGrid.module.css';

interface EventGridProps {
  events: CameraEvent[];
  cameraOf: (deviceId: string | null) => string;
  timeZone: string;
  today: string;
  /** The event whose view was closed: it gets the focus. */
  returnTo: number | null;
  onOpen: (id: number) => void;
}

/** Full rows of one to six columns. */
const CHUNK = 60;
const TILE = '[data-event]';

function groupByDay(events: CameraEvent[], timeZone: string): { date: string; events: CameraEvent[] }[] {
  const days: { date: string; events: CameraEvent[] }[] = [];
  for (const event of events) {
    const date = dateOf(timeZone, Date.parse(event.start));
    const last = days.at(-1);
    if (last?.date === date) last.events.push(event);
    else days.push({ date, events: [event] });
  }
  return days;
}

/** Parts that a browser lays out only near the screen. */
function chunksOf(events: CameraEvent[]): CameraEvent[][] {
  const chunks: CameraEvent[][] = [];
  for (let at = 0; at < events.length; at += CHUNK) chunks.push(events.slice(at, at + CHUNK));
  return chunks;
}

function nameDay(date: string, today: string): { name: string; rest: string } {
  if (date === today) return { name: 'Today', rest: formatDay(date, today) };
  if (date === addDays(today, -1)) return { name: 'Yesterday', rest: formatDay(date, today) };
  return { name: formatDay(date, today), rest: '' };
}

export function EventGrid({ events, cameraOf, timeZone, today, returnTo, onOpen }: EventGridProps) {
  const days = useMemo(() => groupByDay(events, timeZone), [events, timeZone]);
  const grid = useRef<HTMLDivElement>(null);
  const [focusedId, setFocusedId] = useState<number | null>(null);
  const stopId = events.some(({ id }) => id === focusedId) ? focusedId : events[0]?.id;
  const note = useCallback((id: number) => setFocusedId(id), []);

  const move = (key: string): boolean => {
    const tiles = [...(grid.current?.querySelectorAll<HTMLElement>(TILE) ?? [])];
    const current = document.activeElement;
    const next = current instanceof HTMLElement ? tileByArrow(tiles, current, key) : null;
    next?.focus();
    next?.scrollIntoView({ block: 'nearest' });
    return next !== null;
  };
  const press = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    if (move(event.key)) event.preventDefault();
  };

  useEffect(() => {
    if (returnTo === null) return;
    const tile = grid.current?.querySelector<HTMLElement>(`[data-event="${returnTo}"]`);
    tile?.focus({ preventScroll: true });
    tile?.scrollIntoView({ block: 'nearest' });
  }, [returnTo]);

  return (
    <div ref={grid} className={classes.days} onKeyDown={press}>
      {days.map(({ date, events: ofDay }) => {
        const { name, rest } = nameDay(date, today);
        return (
          <section key={date} aria-label={rest ? `${name}, ${rest}` : name}>
            <h2 className={classes.day}>
              {name} {rest && <span className={classes.soft}>{rest}</span>}
            </h2>
            <div className={classes.chunks}>
              {chunksOf(ofDay).map((chunk) => (
                <ul key={chunk[0]?.id} className={classes.grid} style={{ '--count': chunk.length } as CSSProperties}>
                  {chunk.map((event) => (
                    <EventTile
                      key={event.id}
                      event={event}
                      camera={cameraOf(event.device_id)}
                      timeZone={timeZone}
                      isStop={event.id === stopId}
                      onOpen={onOpen}
                      onFocus={note}
                    />
                  ))}
                </ul>
              ))}
            </div>
          </section>
        );
      })}
    </div>
  );
}
