// Each recording state's label, icon and tone, and a recording's activity as text.
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

/** Waiting is a warning only while the recording should be running. */
export function recordingStyle({ observed, is_wanted }: Pick<Recording, 'observed' | 'is_wanted'>): RecordingStyle {
  const style = RECORDING_STYLES[observed];
  return observed === 'waiting' && is_wanted ? { ...style, tone: 'warn' } : style;
}

export const MODE_LABELS: Record<RecordingMode, string> = {
  continuous: 'Continuous',
  scheduled: 'Weekly plan',
  event: 'On events',
  off: 'Off',
};

/** "Stopped by operator until 14:00.", or the reason of the state; empty if there is nothing to add. */
export function recordingSentence({ override, reason, observed, is_wanted, cause }: Recording): string {
  if (override) {
    const by = override.by ? ` by ${override.by}` : ' manually';
    const until = override.until ? ` until ${formatShortMoment(override.until)}` : '';
    return `${override.wish === 'off' ? 'Stopped' : 'Started'}${by}${until}.`;
  }
  if (reason) return `${sentence(reason.message)}${reason.remedy ? ` ${sentence(reason.remedy)}` : ''}`;
  if (observed === 'recording' && cause === 'schedule') return 'Recording by the weekly plan.';
  if (observed === 'recording' && cause === 'event') return 'Recording an event.';
  if (observed === 'waiting' && is_wanted) return 'Waiting for video.';
  return '';
}
