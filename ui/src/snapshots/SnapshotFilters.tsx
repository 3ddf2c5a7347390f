// Filters of the gallery: search, camera, time, kind, tag and order.
import { Select } from '@mantine/core';
import { IconCalendar, IconPhoto } from '@tabler/icons-react';
import type { DeviceChoice } from '../widgets/useDeviceChoices';
import type { GalleryQuery } from './useSnapshotQuery';
import { CaptureFilters } from '../widgets/CaptureFilters';
import { DaysFilter } from '../widgets/DaysFilter';
import { KIND_STYLES } from './snapshotFormatting';

interface SnapshotFiltersProps {
  query: GalleryQuery;
  today: string;
  devices: DeviceChoice[];
  tags: string[];
  /** Name of the selected camera, taken from a snapshot: a deleted camera is not among `devices`. */
  deviceName: string | null;
  onChange: (patch: Partial<GalleryQuery>) => void;
}

const TIMES = [
  { value: 'today', label: 'Today' },
  { value: 'yesterday', label: 'Yesterday' },
  { value: '7d', label: 'Last 7 days' },
  { value: '30d', label: 'Last 30 days' },
  { value: 'custom', label: 'Date range…' },
];
const KINDS = Object.entries(KIND_STYLES).map(([value, { label }]) => ({ value, label }));

export function SnapshotFilters({ query, today, devices, tags, deviceName, onChange }: SnapshotFiltersProps) {
  return (
    <CaptureFilters
      label="Snapshots"
      placeholder="Note, tag or camera"
      filter={query}
      devices={devices}
      deviceName={deviceName}
      tags={tags}
      onChange={onChange}
    >
      <Select
        aria-label="Filter by time"
        placeholder="Any time"
        leftSection={<IconCalendar size={16} stroke={1.7} />}
        data={TIMES}
        value={query.span || null}
        onChange={(span) => onChange({ span: (span ?? '') as GalleryQuery['span'], from: '', to: '' })}
        clearable
      />
      {query.span === 'custom' && <DaysFilter from={query.from} to={query.to} today={today} onChange={onChange} />}
      <Select
        aria-label="Filter by kind"
        placeholder="Any kind"
        leftSection={<IconPhoto size={16} stroke={1.7} />}
        data={KINDS}
        value={query.kind || null}
        onChange={(kind) => onChange({ kind: kind ?? '' })}
        clearable
      />
    </CaptureFilters>
  );
}
