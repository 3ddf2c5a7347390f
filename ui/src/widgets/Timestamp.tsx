// A moment in the viewer's time zone; hover or focus shows it in UTC.
import { Tooltip } from '@mantine/core';
import { formatClock, formatDateTime, formatUtc } from '../formatting/moments';

export function Timestamp({ at, hasDate = true }: { at: string; hasDate?: boolean }) {
  return (
    <Tooltip label={formatUtc(at)}>
      <time dateTime={at} tabIndex={0}>
        {hasDate ? formatDateTime(at) : formatClock(at)}
      </time>
    </Tooltip>
  );
}
