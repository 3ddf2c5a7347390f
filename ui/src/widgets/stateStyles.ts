// Each state's label, icon and tone: never colour alone.
import {
  IconAlertTriangle,
  IconBan,
  IconBroadcast,
  IconHourglassHigh,
  IconPlayerPause,
  IconPlayerStop,
  IconRefresh,
} from '@tabler/icons-react';
import type { ObservedState } from '../api/types';

export type Tone = 'good' | 'busy' | 'warn' | 'bad' | 'still';

export interface StateStyle {
  label: string;
  tone: Tone;
  Icon: typeof IconBan;
}

export const STATE_ORDER: ObservedState[] = ['running', 'starting', 'reconnecting', 'failed', 'stopping', 'stopped'];

export const STATE_STYLES: Record<ObservedState, StateStyle> = {
  running: { label: 'Running', tone: 'good', Icon: IconBroadcast },
  starting: { label: 'Starting', tone: 'busy', Icon: IconHourglassHigh },
  reconnecting: { label: 'Reconnecting', tone: 'warn', Icon: IconRefresh },
  failed: { label: 'Failed', tone: 'bad', Icon: IconAlertTriangle },
  stopping: { label: 'Stopping', tone: 'busy', Icon: IconPlayerPause },
  stopped: { label: 'Stopped', tone: 'still', Icon: IconPlayerStop },
};

export const DISABLED_STYLE: StateStyle = { label: 'Disabled', tone: 'still', Icon: IconBan };
