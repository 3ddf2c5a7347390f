// The strip below the picture: live or recorded, the day, the visible range, and the timeline itself.
import { Skeleton } from '@mantine/core';
import type { Recording } from '../api/recordingTypes';
import { useIsSettled } from '../widgets/useIsSettled';
import { EmptyTimeline } from './EmptyTimeline';
import { FootageTimeline, type FootageTimelineProps } from './FootageTimeline';
import classes from './CameraTimeline.module.css';

interface CameraTimelineProps extends Omit<FootageTimelineProps, 'recording'> {
  recording: Recording | undefined;
}

/** Lets the requests of the live picture go first. */
const WAIT_FOR_LIVE_MS = 600;

export function CameraTimeline({ recording, ...props }: CameraTimelineProps) {
  const isSettled = useIsSettled(props.isRecorded ? 0 : WAIT_FOR_LIVE_MS);
  if (!recording || (!isSettled && recording.oldest)) return <Skeleton className={classes.awaited} radius={0} />;
  if (!recording.oldest && !props.isRecorded) return <EmptyTimeline recording={recording} />;
  return <FootageTimeline recording={recording} {...props} />;
}
