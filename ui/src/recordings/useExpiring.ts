// The footage that other limits than the present ones would delete.
import { useDebouncedValue } from '@mantine/hooks';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { readExpiring } from '../api/recordings';
import { recordingKeys } from '../api/recordingKeys';
import type { Recording } from '../api/recordingTypes';

export interface TriedLimits {
  keep_days: number | null;
  keep_bytes: number | null;
  archive_keep_days: number | null;
  waits_for_copy: boolean;
}

export const isSame = (a: TriedLimits, b: TriedLimits): boolean =>
  a.keep_days === b.keep_days &&
  a.keep_bytes === b.keep_bytes &&
  a.archive_keep_days === b.archive_keep_days &&
  a.waits_for_copy === b.waits_for_copy;

/** Undefined while the limits are those of the recording, or not valid (null). */
export function useExpiring(recording: Recording, limits: TriedLimits | null) {
  const [tried] = useDebouncedValue(limits, 300);
  const isChanged = tried !== null && !isSame(tried, recording);
  const { data } = useQuery({
    queryKey: [...recordingKeys.one(recording.device_id), 'expiring', tried],
    queryFn: ({ signal }) => readExpiring(recording.device_id, tried ?? recording, signal),
    enabled: isChanged,
    placeholderData: keepPreviousData,
  });
  return isChanged ? data : undefined;
}
