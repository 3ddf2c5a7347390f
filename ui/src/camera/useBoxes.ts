// Whether boxes of objects are drawn over pictures: a switch that is remembered, where the service knows boxes at all.
import { useQuery } from '@tanstack/react-query';
import { useCallback, useState } from 'react';
import { readAnalysis } from '../api/detections';
import { recallBoxes, rememberBoxes } from '../players/playerMemory';

const FRESH_MS = 10_000;

export interface BoxesControl {
  isOn: boolean;
  /** Whether the service has an analysis of pictures; false until it was asked. */
  isKnown: boolean;
  /** Whether pictures of this camera are analysed now. */
  isRunning: boolean;
  toggle: () => void;
  /** Finds out what is known: nothing is requested before. */
  ask: () => void;
}

export function useBoxes(deviceId: string): BoxesControl {
  const [isOn, setOn] = useState(recallBoxes);
  const [isAsked, setAsked] = useState(false);
  const { data } = useQuery({
    queryKey: ['analysis', deviceId],
    queryFn: ({ signal }) => readAnalysis(deviceId, signal),
    enabled: isAsked,
    retry: false,
    staleTime: FRESH_MS,
  });
  const toggle = useCallback(() => {
    rememberBoxes(!isOn);
    setOn(!isOn);
  }, [isOn]);
  const ask = useCallback(() => setAsked(true), []);
  return { isOn, isKnown: data !== undefined, isRunning: data?.is_running ?? false, toggle, ask };
}
