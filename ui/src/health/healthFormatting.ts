// Formats the names and details of the service's components.
import { formatBytes } from '../formatting/amounts';

const COMPONENTS: Record<string, string> = {
  database: 'Database',
  redis: 'Redis',
  media_bus: 'Media bus',
  sfu: 'Media server (SFU)',
  stream_slots: 'Stream slots',
  record_slots: 'Recording slots',
  snapshot_slots: 'Snapshot workers',
  captures: 'Disk for snapshots and clips',
  plugin_work: 'Work of plugins',
  recorder: 'Recorder',
  storage: 'Recording storage',
  disk: 'Disk',
};

export function componentName(key: string): string {
  return COMPONENTS[key] ?? detailName(key);
}

/** Details whose key does not say enough. */
const DETAILS: Record<string, string> = {
  unsafe_seconds: 'Age of the oldest data not on the disk yet',
  index_waiting: 'Waiting index entries',
};

export function detailName(key: string): string {
  const given = DETAILS[key.split(' ').at(-1) ?? ''];
  if (given) return given;
  const name = key
    .replace(/_(bytes|percent|kb|ms|seconds)$/, (_, unit: string) => (unit === 'percent' ? ' share' : ''))
    .replaceAll('_', ' ');
  return name.charAt(0).toUpperCase() + name.slice(1);
}

/** The details of a component as rows; values one level deeper are named with their parent. */
export function detailRows(detail: Record<string, unknown>, place = ''): [string, string][] {
  return Object.entries(detail).flatMap(([key, value]): [string, string][] => {
    const name = place ? `${place} ${key}` : key;
    if (!place && value && typeof value === 'object' && !Array.isArray(value))
      return detailRows(value as Record<string, unknown>, key);
    return [[detailName(name), detailText(key, value)]];
  });
}

/** One detail of any type as text. */
export function detailText(key: string, value: unknown): string {
  if (value === null || value === undefined || value === '') return '–';
  if (typeof value === 'boolean') return value ? 'Yes' : 'No';
  if (typeof value === 'number') {
    if (/bytes|memory/.test(key)) return formatBytes(value);
    if (/percent/.test(key)) return `${Math.round(value)} %`;
    if (/_kb$/.test(key)) return formatBytes(value * 1000);
    if (/_ms$/.test(key)) return `${Number(value.toFixed(1))} ms`;
    if (/_seconds$/.test(key)) return `${Number(value.toFixed(1))} s`;
    return String(Number(value.toFixed(2)));
  }
  if (Array.isArray(value)) {
    return value.every((item) => typeof item !== 'object') ? value.join(', ') || 'None' : String(value.length);
  }
  if (typeof value === 'object') {
    return Object.entries(value)
      .map(([inner, item]) => `${inner.replaceAll('_', ' ')} ${detailText(inner, item)}`)
      .join(', ');
  }
  return String(value);
}
