// False for a short time after a page opens, so that the page's main content loads first.
import { useTimeout } from '@mantine/hooks';
import { useState } from 'react';

export function useIsSettled(afterMs: number): boolean {
  const [isSettled, setSettled] = useState(afterMs <= 0);
  useTimeout(() => setSettled(true), afterMs, { autoInvoke: true });
  return isSettled;
}
