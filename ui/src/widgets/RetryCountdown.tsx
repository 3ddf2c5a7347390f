// A button that shows the time until the next attempt and starts it immediately.
import { Button } from '@mantine/core';
import { useNow } from './useNow';

export function RetryCountdown({ at, onRetry }: { at: number; onRetry: () => void }) {
  const now = useNow(500);
  const seconds = Math.ceil((at - now) / 1000);
  return (
    <Button variant="white" color="dark" size="xs" onClick={onRetry}>
      {seconds > 1 ? `Retrying in ${seconds} s · Retry now` : 'Retrying…'}
    </Button>
  );
}
