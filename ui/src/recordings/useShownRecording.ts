// A recording as it is shown: a recorder that does not answer becomes an alarm only after it had time to start.
import { useEffect, useState } from 'react';
import type { Recording } from '../api/recordingTypes';
import type { Stream } from '../api/types';
import { shownRecording } from './shownRecording';

/** The clock process looks for devices without a recorder every few seconds; a recorder needs some to begin. */
export const PATIENCE_MS = 15_000;

export function useShownRecording<Known extends Recording | undefined>(
  recording: Known,
  stream?: Pick<Stream, 'desired' | 'observed'>,
): Known {
  const isAway = recording?.reason?.code === 'recorder_away';
  const [isLate, setLate] = useState(false);
  useEffect(() => {
    if (!isAway) return undefined;
    const timer = setTimeout(() => setLate(true), PATIENCE_MS);
    return () => {
      clearTimeout(timer);
      setLate(false);
    };
  }, [isAway]);
  return (recording && shownRecording(recording, stream, !isLate)) as Known;
}
