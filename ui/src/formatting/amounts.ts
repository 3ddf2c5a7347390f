// Formats amounts of data and shares.
import { NOTHING } from './statistics';

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** "4.1 GB": decimal units, as disks are sold. */
export function formatBytes(bytes: number | null | undefined): string {
  if (bytes === null || bytes === undefined) return NOTHING;
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value >= 100 || unit === 0 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`;
}

/** "100 %" only for exactly all, "0 %" only for nothing: 99.97 % is not complete. */
export function formatShare(share: number | null | undefined): string {
  if (share === null || share === undefined) return NOTHING;
  const percent = share * 100;
  if (percent >= 100) return '100 %';
  if (percent <= 0) return '0 %';
  if (percent > 99.9) return '> 99.9 %';
  if (percent < 0.1) return '< 0.1 %';
  return percent > 99 ? `${(Math.floor(percent * 10) / 10).toFixed(1)} %` : `${Math.max(1, Math.floor(percent))} %`;
}

export const GIGABYTE = 1_000_000_000;
