// How each state of a recording is named and drawn, and what a recording does, in words.
import { IconAlertTriangle, IconCircleFilled, IconCircleOff, IconClockPause } from '@tabler/icons-react';
import type { Recording, RecordingMode, RecordingState } from '../api/recordingTypes';
import { formatShortMoment } from '../formatting/moments';
import { sentence } from '../formatting/sentence';
import type { Tone } from '../widgets/stateStyles';

export interface RecordingStyle {
  label: string;
  tone: Tone;
  Icon: typeof IconCircleOff;
}

const RECORDING_STYLES: Record<RecordingState, RecordingStyle> = {
  recording: { label: 'Recording', tone: 'good', Icon: IconCircleFilled },
  waiting: { label: 'Waiting', tone: 'still', Icon: IconClockPause },
  interrupted: { label: 'Interrupted', tone: 'bad', Icon: IconAlertTriangle },
  off: { label: 'Not recording', tone: 'still', Icon: IconCircleOff },
};

/** Waiting is nothing to worry about, unless footage is wanted now. */
export function recordingStyle({ observed, is_wanted }: Recording): RecordingStyle {
  const style = RECORDING_STYLES[observed];
  return observed === 'waiting' && is_wanted ? { ...style, tone: 'warn' } : style;
}

export const MODE_LABELS: Record<RecordingMode, string> = {
  continuous: 'Always',
  scheduled: 'By a weekly plan',
  event: 'Around events',
  off: 'Never',
};

/** "Stopped by operator until 14:00." or why it is as it is; empty when there is nothing to add. */
export function recordingSentence({ override, reason, observed, is_wanted, cause }: Recording): string {
  if (override) {
    const by = override.by ? ` by ${override.by}` : ' by hand';
    const until = override.until ? ` until ${formatShortMoment(override.until)}` : '';
    return `${override.wish === 'off' ? 'Stopped' : 'Started'}${by}${until}.`;
  }
  if (reason) return `${sentence(reason.message)}${reason.remedy ? ` ${sentence(reason.remedy)}` : ''}`;
  if (observed === 'recording' && cause === 'schedule') return 'The weekly plan wants it now.';
  if (observed === 'recording' && cause === 'event') return 'An event opened a window.';
  if (observed === 'waiting' && is_wanted) return 'Waiting for video.';
  return '';
}
