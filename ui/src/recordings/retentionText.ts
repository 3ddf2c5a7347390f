// How long footage is kept, as text: what is expected, and the limit that ends it.
import type { Retention } from '../api/recordingTypes';
import { formatBytes } from '../formatting/amounts';

const HOUR_SECONDS = 3_600;
const DAY_SECONDS = 24 * HOUR_SECONDS;

const dayCount = (days: number): string => `${days} ${days === 1 ? 'day' : 'days'}`;

/** "40 min", "13 h", "9 days", "3 years". */
export function formatExpected(seconds: number): string {
  if (seconds < HOUR_SECONDS) return `${Math.max(1, Math.round(seconds / 60))} min`;
  if (seconds < 2 * DAY_SECONDS) return `${Math.round(seconds / HOUR_SECONDS)} h`;
  const days = Math.round(seconds / DAY_SECONDS);
  return days > 730 ? `${Math.round(days / 365)} years` : dayCount(days);
}

/** The device's limits: "14 days", "14 days or 500 GB"; empty without any. */
export function formatOwnLimits({ keep_days, keep_bytes }: Pick<Retention, 'keep_days' | 'keep_bytes'>): string {
  return [keep_days ? dayCount(keep_days) : '', keep_bytes ? formatBytes(keep_bytes) : ''].filter(Boolean).join(' or ');
}

const SHARED: Record<string, string> = {
  tenant: 'limit of all your cameras',
  store: 'limit of all cameras',
  disk: 'size of the disk',
};

/** "14 days", "≈ 13 h (limit of all cameras: 5.37 GB)", "≈ 5 days (size of the disk)". */
export function formatRetention(retention: Retention, sharedBytes?: number | null): string {
  const { expected_seconds: expected, limit } = retention;
  const own = formatOwnLimits(retention);
  if (expected === null || limit === null || limit === 'age') return own || 'Until the disk is full';
  const why = limit === 'size' ? `at most ${formatBytes(retention.keep_bytes ?? 0)}` : (SHARED[limit] ?? 'a limit');
  const size = sharedBytes && limit !== 'size' && limit !== 'disk' ? `: ${formatBytes(sharedBytes)}` : '';
  return `≈ ${formatExpected(expected)} (${why}${size})`;
}
