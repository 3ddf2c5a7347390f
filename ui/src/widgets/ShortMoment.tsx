// A moment in short form for lists: without seconds, and only the date in another year. Hover shows it in full.
import { Tooltip } from '@mantine/core';
import { formatDateTime, formatShortMoment, formatUtc } from '../formatting/moments';

export function ShortMoment({ at }: { at: string }) {
  return (
    <Tooltip label={`${formatDateTime(at)} (${formatUtc(at)})`}>
      <time dateTime={at} style={{ whiteSpace: 'nowrap' }}>
        {formatShortMoment(at)}
      </time>
    </Tooltip>
  );
}
