// One recorded day as text, for labels and tooltips.
import { formatShare } from '../formatting/amounts';
import { formatDate } from '../formatting/calendarDates';
import { formatSpan } from '../formatting/moments';

interface RecordedDayFacts {
  seconds: number;
  /** 0 up to 1 of the expected recording time; null if no recording was expected. */
  coverage: number | null;
  gaps: number;
}

/** "Sunday, 22 November 2026: 23 h 10 min recorded, 97 % coverage, 3 gaps". */
export function formatRecordedDay(date: string, day: RecordedDayFacts | undefined): string {
  const coverage = day && day.coverage !== null ? `, ${formatShare(day.coverage)} coverage` : '';
  if (!day || day.seconds <= 0) return `${formatDate(date)}: nothing recorded${coverage}`;
  const gaps = day.gaps > 0 ? `, ${day.gaps} ${day.gaps === 1 ? 'gap' : 'gaps'}` : '';
  return `${formatDate(date)}: ${formatSpan(day.seconds * 1000)} recorded${coverage}${gaps}`;
}
