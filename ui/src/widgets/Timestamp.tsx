// A moment in the viewer's own time zone, with UTC one hover or focus away.
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
