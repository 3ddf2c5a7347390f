// How each state is named and drawn: never by colour alone.
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

export interface StateLook {
  word: string;
  tone: Tone;
  Icon: typeof IconBan;
}

export const STATE_ORDER: ObservedState[] = ['running', 'starting', 'reconnecting', 'failed', 'stopping', 'stopped'];

export const STATE_LOOKS: Record<ObservedState, StateLook> = {
  running: { word: 'Running', tone: 'good', Icon: IconBroadcast },
  starting: { word: 'Starting', tone: 'busy', Icon: IconHourglassHigh },
  reconnecting: { word: 'Reconnecting', tone: 'warn', Icon: IconRefresh },
  failed: { word: 'Failed', tone: 'bad', Icon: IconAlertTriangle },
  stopping: { word: 'Stopping', tone: 'busy', Icon: IconPlayerPause },
  stopped: { word: 'Stopped', tone: 'still', Icon: IconPlayerStop },
};

export const DISABLED_LOOK: StateLook = { word: 'Disabled', tone: 'still', Icon: IconBan };
