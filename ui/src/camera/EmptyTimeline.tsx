// Shown instead of the timeline of a camera without recordings: the reason, and a link to its recording settings.
import { Button } from '@mantine/core';
import { IconHistory } from '@tabler/icons-react';
import { Link } from 'react-router';
import type { Recording } from '../api/recordingTypes';
import { recordingSentence } from '../recordings/recordingStyles';
import { useShownRecording } from '../recordings/useShownRecording';
import classes from './CameraTimeline.module.css';

function explanationOf(recording: Recording): string {
  if (recording.observed === 'recording')
    return 'Recording has just started. The first footage can be played in a few seconds.';
  if (recording.mode === 'off' && !recording.override) return 'Recording is off for this camera.';
  return recordingSentence(recording) || 'Footage appears here as soon as it is recorded.';
}

export function EmptyTimeline(props: { recording: Recording }) {
  const recording = useShownRecording(props.recording);
  return (
    <div className={classes.empty}>
      <IconHistory size={22} stroke={1.6} aria-hidden />
      <div>
        <div className={classes.emptyTitle}>Nothing recorded yet</div>
        <div>{explanationOf(recording)}</div>
      </div>
      <Button component={Link} to={`/devices/${recording.device_id}/recording`} variant="default" size="xs">
        Recording settings
      </Button>
    </div>
  );
}
