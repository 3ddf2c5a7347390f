// The recording state of a listed camera as an icon next to its name; nothing if its recording mode is off.
import { Tooltip } from '@mantine/core';
import type { Device, Stream } from '../api/types';
import badges from '../widgets/StateBadge.module.css';
import classes from './RecordingBadge.module.css';
import { recordingStyle } from './recordingStyles';
import { shownState } from './shownRecording';

export function RecordingDot({ device, stream }: { device: Device; stream: Stream | undefined }) {
  const recording = stream?.recording ?? device.recording;
  if (!recording || recording.mode === 'off') return null;
  const observed = shownState(recording.observed, stream);
  const isWanted = recording.mode === 'continuous' && device.enabled && (stream ?? device).desired === 'running';
  const { label, tone, Icon } = recordingStyle({ observed, is_wanted: isWanted });
  const isRecording = observed === 'recording';
  return (
    <Tooltip label={label}>
      <span
        className={`${classes.small} ${badges[tone]}`}
        data-recording={observed}
        role="img"
        aria-label={label}
        tabIndex={0}
      >
        <Icon size={isRecording ? 10 : 15} stroke={2} aria-hidden className={isRecording ? classes.rec : undefined} />
      </span>
    </Tooltip>
  );
}
