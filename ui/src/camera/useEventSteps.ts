// Goes to the previous or the next event of a device, however far away it is.
import { notifications } from '@mantine/notifications';
import { useCallback, useRef } from 'react';
import { EVENT_PRE_ROLL_MS } from '../addresses/recordingAddresses';
import { readEventNeighbours } from '../api/events';
import { notifyFailure } from '../widgets/notifyFailure';

/** Players show a frame beside the moment that they were asked for. */
const SLACK_MS = 1_000;

export type EventStep = 'previous' | 'next';

/** From which moment on to look, for the events before and after it. `latestMs`: the start of the event that was gone to. */
export function stepFrom(step: EventStep, shownMs: number, latestMs: number | null): number {
  const played = latestMs === null ? -1 : shownMs - (latestMs - EVENT_PRE_ROLL_MS);
  // Playback has not gone far from that event.
  if (latestMs !== null && played > -SLACK_MS && played < 2 * EVENT_PRE_ROLL_MS) return latestMs;
  // What begins within the pre-roll is about to be seen.
  return step === 'next' ? shownMs + EVENT_PRE_ROLL_MS + SLACK_MS : shownMs;
}

/** `momentOf`: the moment on the screen; null live. `onEvent` gets the start of the event. */
export function useEventSteps(deviceId: string, momentOf: () => number | null, onEvent: (startMs: number) => void) {
  const latest = useRef<number | null>(null);
  return useCallback(
    async (step: EventStep) => {
      try {
        const atMs = stepFrom(step, momentOf() ?? Date.now(), latest.current);
        const found = (await readEventNeighbours(deviceId, atMs))[step];
        if (!found) {
          notifications.show({ message: step === 'next' ? 'There is no later event.' : 'There is no earlier event.' });
          return;
        }
        latest.current = Date.parse(found.start);
        onEvent(latest.current);
      } catch (error) {
        notifyFailure('The event was not found', error as Error);
      }
    },
    [deviceId, momentOf, onEvent],
  );
}
