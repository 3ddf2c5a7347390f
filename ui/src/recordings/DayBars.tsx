// The last days of one device as small bars: recorded time filled, missing time hatched. Each bar links to its day.
import { Tooltip } from '@mantine/core';
import { Link } from 'react-router';
import type { CoverageDay } from '../api/recordingTypes';
import { formatShortDate } from '../formatting/calendarDates';
import { formatRecordedDay } from './recordedDayText';
import classes from './DayBars.module.css';

interface DayBarsProps {
  /** Every date that has a bar, oldest first. */
  dates: string[];
  days: Map<string, CoverageDay> | undefined;
  addressOf: (date: string) => string;
}

const DAY_SECONDS = 86_400;

/** Counts only the gaps in expected recording time. */
const factsOf = ({ recorded_seconds, coverage, gaps }: CoverageDay) => ({
  seconds: recorded_seconds,
  coverage,
  gaps: gaps.filter((gap) => gap.is_wanted).length,
});

export function DayBars({ dates, days, addressOf }: DayBarsProps) {
  return (
    <div className={classes.bars} role="list" aria-label={`Coverage from ${formatShortDate(dates[0] ?? '')}`}>
      {dates.map((date) => {
        const day = days?.get(date);
        const recorded = Math.min(1, (day?.recorded_seconds ?? 0) / DAY_SECONDS);
        const wanted = Math.min(1, (day?.wanted_seconds ?? 0) / DAY_SECONDS);
        const isLacking = day !== undefined && day.coverage !== null && day.coverage < 0.99;
        const label = formatRecordedDay(date, day && factsOf(day));
        return (
          <span key={date} role="listitem" className={classes.day}>
            <Tooltip label={label} openDelay={80}>
              <Link
                to={addressOf(date)}
                className={classes.bar}
                aria-label={label}
                data-lacking={isLacking || undefined}
              >
                {wanted > recorded && <span className={classes.wanted} style={{ height: `${wanted * 100}%` }} />}
                {recorded > 0 && (
                  <span className={classes.recorded} style={{ height: `${Math.max(8, recorded * 100)}%` }} />
                )}
              </Link>
            </Tooltip>
          </span>
        );
      })}
    </div>
  );
}
