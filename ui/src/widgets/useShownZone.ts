// The time zone in which a component shows times, by the clock that was chosen in the header.
import { useContext, useSyncExternalStore } from 'react';
import { clockChoice, shownZone, subscribeToClock } from '../formatting/shownZone';
import { CameraZone } from './CameraZone';

export function useShownZone(cameraZone?: string | null): string {
  const ofPage = useContext(CameraZone);
  const choice = useSyncExternalStore(subscribeToClock, clockChoice);
  return shownZone(cameraZone ?? ofPage, choice);
}
