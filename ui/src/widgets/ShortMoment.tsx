// A moment in short form for lists: without seconds, and only the date in another year. Hover shows it in full.
import { Tooltip } from '@mantine/core';
import { formatDateTime, formatShortMoment, formatUtc } from '../formatting/moments';
import { useShownZone } from './useShownZone';

export function ShortMoment({ at }: { at: string }) {
  const timeZone = useShownZone();
  return (
    <Tooltip label={`${formatDateTime(at, timeZone)} (${formatUtc(at)})`}>
      <time dateTime={at} style={{ whiteSpace: 'nowrap' }}>
        {formatShortMoment(at, timeZone)}
      </time>
    </Tooltip>
  );
}
