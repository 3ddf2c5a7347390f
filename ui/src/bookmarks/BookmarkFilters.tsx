// Filters of the bookmarks: search, camera, date range, tag and order.
import { useState } from 'react';
import type { BookmarkFilter } from './useBookmarkQuery';
import type { DeviceChoice } from '../widgets/useDeviceChoices';
import { shownZone } from '../formatting/shownZone';
import { dateOf } from '../formatting/timeZone';
import { CaptureFilters } from '../widgets/CaptureFilters';
import { DaysFilter } from '../widgets/DaysFilter';

interface BookmarkFiltersProps {
  filter: BookmarkFilter;
  devices: DeviceChoice[];
  tags: string[];
  onChange: (patch: Partial<BookmarkFilter>) => void;
}

export function BookmarkFilters({ filter, devices, tags, onChange }: BookmarkFiltersProps) {
  const [today] = useState(() => dateOf(shownZone(), Date.now()));
  return (
    <CaptureFilters
      label="Bookmarks"
      placeholder="Title, note, tag or camera"
      filter={filter}
      devices={devices}
      tags={tags}
      onChange={onChange}
    >
      <DaysFilter from={filter.from} to={filter.to} today={today} onChange={onChange} />
    </CaptureFilters>
  );
}
