// Formatting of snapshots: their origin, and a text alternative of the picture.
import { IconBroadcast, IconCalendarTime, IconMovie } from '@tabler/icons-react';
import type { Snapshot, SnapshotKind } from '../api/snapshots';
import { formatMoment } from '../formatting/zonedTimes';

export const KIND_STYLES: Record<SnapshotKind, { label: string; description: string; Icon: typeof IconMovie }> = {
  live: { label: 'Live', description: 'Taken live', Icon: IconBroadcast },
  historical: { label: 'From a recording', description: 'Taken from the recording', Icon: IconMovie },
  scheduled: { label: 'Scheduled', description: 'Taken by a schedule', Icon: IconCalendarTime },
};

/** "Taken live by operator"; `created_by` of a scheduled snapshot is the name of its schedule. */
export function formatOrigin({ kind, created_by: by }: Snapshot): string {
  const { description } = KIND_STYLES[kind];
  if (!by || (kind === 'scheduled' && by === 'schedule')) return description;
  return kind === 'scheduled' ? `Taken by the schedule “${by}”` : `${description} by ${by}`;
}

export const pictureName = (snapshot: Snapshot, timeZone: string): string =>
  `${snapshot.device_name}, ${formatMoment(timeZone, Date.parse(snapshot.at))}`;
