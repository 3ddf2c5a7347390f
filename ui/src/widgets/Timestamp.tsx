// A moment in the viewer's time zone; hover shows it in UTC. Not a tab stop: a list has hundreds.
import { Tooltip } from '@mantine/core';
import { formatClock, formatDateTime, formatUtc } from '../formatting/moments';

export function Timestamp({ at, hasDate = true }: { at: string; hasDate?: boolean }) {
  return (
    <Tooltip label={formatUtc(at)}>
      <time dateTime={at}>{hasDate ? formatDateTime(at) : formatClock(at)}</time>
    </Tooltip>
  );
}
