// The last days of one device as small bars: filled by what is recorded, marked where something is missing. Each leads to its day.
import { Tooltip } from '@mantine/core';
import { Link } from 'react-router';
import type { CoverageDay } from '../api/recordingTypes';
import { formatShare } from '../formatting/amounts';
import { formatDate, formatShortDate } from '../formatting/calendarDates';
import { formatSpan } from '../formatting/moments';
import classes from './DayBars.module.css';

interface DayBarsProps {
  /** Every date that has a bar, oldest first. */
  dates: string[];
  days: Map<string, CoverageDay> | undefined;
  addressOf: (date: string) => string;
}

const DAY_SECONDS = 86_400;

function formatBar(date: string, day: CoverageDay | undefined): string {
  if (!day || day.recorded_seconds <= 0)
    return `${formatDate(date)}: ${day && day.wanted_seconds > 0 ? 'nothing recorded, although it was wanted' : 'nothing recorded'}`;
  const share = day.coverage === null ? '' : `, ${formatShare(day.coverage)} of what was wanted`;
  const count = day.gaps.filter((gap) => gap.is_wanted).length;
  const gaps = count > 0 ? `, ${count} ${count === 1 ? 'gap' : 'gaps'}` : '';
  return `${formatDate(date)}: ${formatSpan(day.recorded_seconds * 1000)} recorded${share}${gaps}`;
}

export function DayBars({ dates, days, addressOf }: DayBarsProps) {
  return (
    <div className={classes.bars} role="list" aria-label={`Coverage from ${formatShortDate(dates[0] ?? '')}`}>
      {dates.map((date) => {
        const day = days?.get(date);
        const recorded = Math.min(1, (day?.recorded_seconds ?? 0) / DAY_SECONDS);
        const wanted = Math.min(1, (day?.wanted_seconds ?? 0) / DAY_SECONDS);
        const isLacking = day !== undefined && day.coverage !== null && day.coverage < 0.99;
        const label = formatBar(date, day);
        return (
          <Tooltip key={date} label={label} openDelay={80}>
            <Link
              to={addressOf(date)}
              className={classes.bar}
              role="listitem"
              aria-label={label}
              data-lacking={isLacking || undefined}
            >
              {wanted > recorded && <span className={classes.wanted} style={{ height: `${wanted * 100}%` }} />}
              {recorded > 0 && (
                <span className={classes.recorded} style={{ height: `${Math.max(8, recorded * 100)}%` }} />
              )}
            </Link>
          </Tooltip>
        );
      })}
    </div>
  );
}
