// Snapshots by day, as tiles. A click opens one, or selects it while others are selected.
import { UnstyledButton } from '@mantine/core';
import { useMemo } from 'react';
import type { Snapshot } from '../api/snapshots';
import type { Selection } from '../widgets/useSelection';
import { dateOf } from '../formatting/timeZone';
import { addDays, formatDay } from '../formatting/calendarDates';
import { SnapshotTile } from './SnapshotTile';
import classes from './SnapshotGrid.module.css';

interface SnapshotGridProps {
  snapshots: Snapshot[];
  timeZone: string;
  today: string;
  selection: Selection;
  onOpen: (id: string) => void;
}

interface Day {
  date: string;
  snapshots: Snapshot[];
}

/** Keeps the order; a new group begins wherever the day changes. */
export function groupByDay(snapshots: Snapshot[], timeZone: string): Day[] {
  const days: Day[] = [];
  for (const snapshot of snapshots) {
    const date = dateOf(timeZone, Date.parse(snapshot.at));
    const last = days.at(-1);
    if (last?.date === date) last.snapshots.push(snapshot);
    else days.push({ date, snapshots: [snapshot] });
  }
  return days;
}

function dayHeading(date: string, today: string): { name: string; rest: string } {
  if (date === today) return { name: 'Today', rest: formatDay(date, today) };
  if (date === addDays(today, -1)) return { name: 'Yesterday', rest: formatDay(date, today) };
  return { name: formatDay(date, today), rest: '' };
}

export function SnapshotGrid({ snapshots, timeZone, today, selection, onOpen }: SnapshotGridProps) {
  const days = useMemo(() => groupByDay(snapshots, timeZone), [snapshots, timeZone]);
  return (
    <div data-selecting={selection.ids.size > 0 || undefined} className={classes.days}>
      {days.map(({ date, snapshots: ofDay }) => {
        const { name, rest } = dayHeading(date, today);
        const ids = ofDay.map(({ id }) => id);
        const isAllSelected = ids.every((id) => selection.ids.has(id));
        return (
          <section key={date} aria-label={rest ? `${name}, ${rest}` : name}>
            <div className={classes.head}>
              <h2 className={classes.day}>
                {name} {rest && <span className={classes.soft}>{rest}</span>}
              </h2>
              <UnstyledButton className={classes.all} onClick={() => selection.set(ids, !isAllSelected)}>
                {isAllSelected ? 'Deselect day' : 'Select day'}
              </UnstyledButton>
            </div>
            <ul className={classes.grid}>
              {ofDay.map((snapshot) => (
                <SnapshotTile
                  key={snapshot.id}
                  snapshot={snapshot}
                  timeZone={timeZone}
                  isSelected={selection.ids.has(snapshot.id)}
                  isSelecting={selection.ids.size > 0}
                  onOpen={onOpen}
                  onSelect={selection.toggle}
                />
              ))}
            </ul>
          </section>
        );
      })}
    </div>
  );
}
