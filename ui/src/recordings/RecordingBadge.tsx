// A recording's state as icon, label and colour; `isSmall` shows the icon alone and the rest on hover or focus.
import { Tooltip } from '@mantine/core';
import type { Recording } from '../api/recordingTypes';
import { recordingStyle, recordingSentence } from './recordingStyles';
import badges from '../widgets/StateBadge.module.css';
import classes from './RecordingBadge.module.css';

export function RecordingBadge({ recording, isSmall = false }: { recording: Recording; isSmall?: boolean }) {
  const { label, tone, Icon } = recordingStyle(recording);
  const isRecording = recording.observed === 'recording';
  if (!isSmall) {
    return (
      <span className={`${badges.badge} ${badges[tone]}`} data-recording={recording.observed}>
        <Icon size={isRecording ? 11 : 15} stroke={2} aria-hidden className={isRecording ? classes.rec : undefined} />
        {label}
      </span>
    );
  }
  const why = recordingSentence(recording);
  return (
    <Tooltip label={why ? `${label}: ${why}` : label} multiline maw={300}>
      <span
        className={`${classes.small} ${badges[tone]}`}
        data-recording={recording.observed}
        role="img"
        aria-label={label}
        tabIndex={0}
      >
        <Icon size={isRecording ? 10 : 15} stroke={2} aria-hidden className={isRecording ? classes.rec : undefined} />
      </span>
    </Tooltip>
  );
}
