// The present time, updated at an interval, for countdowns and ages.
import { useInterval } from '@mantine/hooks';
import { useState } from 'react';

export function useNow(intervalMs = 1_000): number {
  const [now, setNow] = useState(() => Date.now());
  useInterval(() => setNow(Date.now()), intervalMs, { autoInvoke: true });
  return now;
}
