// Snapshots in words: where they come from, and what they are called for those who cannot see them.
import { IconBroadcast, IconCalendarTime, IconMovie } from '@tabler/icons-react';
import type { Snapshot, SnapshotKind } from '../api/snapshots';
import { formatMoment } from '../formatting/zonedTimes';

export const KIND_LOOKS: Record<SnapshotKind, { word: string; words: string; Icon: typeof IconMovie }> = {
  live: { word: 'Live', words: 'Taken live', Icon: IconBroadcast },
  historical: { word: 'From a recording', words: 'Taken from the recording', Icon: IconMovie },
  scheduled: { word: 'Scheduled', words: 'Taken by a schedule', Icon: IconCalendarTime },
};

/** "Taken live by operator"; a schedule is named as the one who took it. */
export function originWords({ kind, created_by: by }: Snapshot): string {
  const { words } = KIND_LOOKS[kind];
  if (!by || (kind === 'scheduled' && by === 'schedule')) return words;
  return kind === 'scheduled' ? `Taken by the schedule “${by}”` : `${words} by ${by}`;
}

export const pictureName = (snapshot: Snapshot, timeZone: string): string =>
  `${snapshot.device_name}, ${formatMoment(timeZone, Date.parse(snapshot.at))}`;
