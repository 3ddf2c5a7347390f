// The strip below the picture: live or recorded, the day, the visible range, and the timeline itself.
import { Skeleton } from '@mantine/core';
import type { Recording } from '../api/recordingTypes';
import { later } from '../frame/later';
import { useIsSettled } from '../widgets/useIsSettled';
import { EmptyTimeline } from './EmptyTimeline';
import type { FootageTimelineProps } from './FootageTimeline';
import classes from './CameraTimeline.module.css';

interface CameraTimelineProps extends Omit<FootageTimelineProps, 'recording'> {
  recording: Recording | undefined;
}

const AWAITED = <Skeleton className={classes.awaited} radius={0} />;
const FootageTimeline = later(() => import('./FootageTimeline').then((module) => module.FootageTimeline), AWAITED);

/** Lets the requests of the live picture go first. */
const WAIT_FOR_LIVE_MS = 600;

export function CameraTimeline({ recording, ...props }: CameraTimelineProps) {
  const isSettled = useIsSettled(props.isRecorded ? 0 : WAIT_FOR_LIVE_MS);
  if (!recording || (!isSettled && recording.oldest)) return AWAITED;
  if (!recording.oldest && !props.isRecorded) return <EmptyTimeline recording={recording} />;
  return <FootageTimeline recording={recording} {...props} />;
}
