// A moment on the chosen clock; hover shows it in UTC. Not a tab stop: a list has hundreds.
import { Tooltip } from '@mantine/core';
import { formatClock, formatDateTime, formatUtc } from '../formatting/moments';
import { useShownZone } from './useShownZone';

export function Timestamp({ at, hasDate = true }: { at: string; hasDate?: boolean }) {
  const timeZone = useShownZone();
  return (
    <Tooltip label={formatUtc(at)}>
      <time dateTime={at}>{hasDate ? formatDateTime(at, timeZone) : formatClock(at, timeZone)}</time>
    </Tooltip>
  );
}
