// The newest picture of a camera in a list, fetched only while it is visible; an old picture shows its age.
import { useInViewport } from '@mantine/hooks';
import { IconVideo, IconVideoOff } from '@tabler/icons-react';
import { useNow } from '../widgets/useNow';
import { usePoster } from '../snapshots/usePoster';
import { BlobImage } from '../widgets/BlobImage';
import { formatSpan } from '../formatting/moments';
import classes from './DevicePoster.module.css';

interface DevicePosterProps {
  deviceId: string;
  name: string;
  width: number;
  isRunning: boolean;
  className?: string | undefined;
}

const FRESH_MS = 60_000;

export function DevicePoster({ deviceId, name, width, isRunning, className = '' }: DevicePosterProps) {
  const { ref, inViewport } = useInViewport<HTMLDivElement>();
  const { picture, takenAt } = usePoster(deviceId, width, inViewport);
  const age = useNow(15_000) - Date.parse(takenAt ?? '');
  const Icon = isRunning ? IconVideo : IconVideoOff;
  return (
    <div ref={ref} className={`${classes.poster} ${className}`} data-running={isRunning || undefined}>
      {picture ? (
        <BlobImage bytes={picture} className={classes.picture} alt={`Newest picture of ${name}`} data-testid="poster" />
      ) : (
        <Icon size={width < 300 ? 18 : 28} stroke={1.4} aria-hidden />
      )}
      {picture && age > FRESH_MS && width > 200 && <span className={classes.age}>{formatSpan(age)} ago</span>}
    </div>
  );
}
