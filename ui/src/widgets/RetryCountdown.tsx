// When the next attempt comes, and a way not to wait for it.
import { Button } from '@mantine/core';
import { useNow } from './useNow';

export function RetryCountdown({ at, onRetry }: { at: number; onRetry: () => void }) {
  const now = useNow(500);
  const seconds = Math.ceil((at - now) / 1000);
  return (
    <Button variant="white" color="dark" size="xs" onClick={onRetry}>
      {seconds > 1 ? `Next try in ${seconds} s · try now` : 'Trying again'}
    </Button>
  );
}
