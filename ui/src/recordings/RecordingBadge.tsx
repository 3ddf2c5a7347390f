// A recording's state as icon, label and colour.
import type { Recording } from '../api/recordingTypes';
import { recordingStyle } from './recordingStyles';
import badges from '../widgets/StateBadge.module.css';
import classes from './RecordingBadge.module.css';

export function RecordingBadge({ recording }: { recording: Recording }) {
  const { label, tone, Icon } = recordingStyle(recording);
  const isRecording = recording.observed === 'recording';
  return (
    <span className={`${badges.badge} ${badges[tone]}`} data-recording={recording.observed}>
      <Icon size={isRecording ? 11 : 15} stroke={2} aria-hidden className={isRecording ? classes.rec : undefined} />
      {label}
    </span>
  );
}
