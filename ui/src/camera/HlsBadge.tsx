// Shows that the live picture comes over HLS and its delay, with a button to try WebRTC again.
import { UnstyledButton } from '@mantine/core';
import classes from './PlayerOverlay.module.css';

interface HlsBadgeProps {
  latencySeconds: number | null;
  /** Tries WebRTC now; null where the user chose HLS. */
  onRetry: (() => void) | null;
}

export function HlsBadge({ latencySeconds, onRetry }: HlsBadgeProps) {
  const behind = latencySeconds === null ? '' : `, about ${Math.max(1, Math.round(latencySeconds))} s behind`;
  return (
    <div className={classes.pill} role="status" data-testid="hls-badge">
      HLS{behind}
      {onRetry && (
        <UnstyledButton className={classes.link} onClick={onRetry}>
          Try WebRTC again
        </UnstyledButton>
      )}
    </div>
  );
}
