// A moment on the chosen clock; hover or focus shows it in UTC.
import { Tooltip } from '@mantine/core';
import { formatClock, formatDateTime, formatUtc } from '../formatting/moments';
import { useShownZone } from './useShownZone';

export function Timestamp({ at, hasDate = true }: { at: string; hasDate?: boolean }) {
  const timeZone = useShownZone();
  return (
    <Tooltip label={formatUtc(at)}>
      <time dateTime={at} tabIndex={0}>
        {hasDate ? formatDateTime(at, timeZone) : formatClock(at, timeZone)}
      </time>
    </Tooltip>
  );
}
