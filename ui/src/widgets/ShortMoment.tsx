// A moment as short as a list needs it: no seconds, and of another year only the date. All of it on hover or focus.
import { Tooltip } from '@mantine/core';
import { formatDateTime, formatShortMoment, formatUtc } from '../formatting/moments';

export function ShortMoment({ at }: { at: string }) {
  return (
    <Tooltip label={`${formatDateTime(at)} (${formatUtc(at)})`}>
      <time dateTime={at} tabIndex={0} style={{ whiteSpace: 'nowrap' }}>
        {formatShortMoment(at)}
      </time>
    </Tooltip>
  );
}
