// The one clock of all pages: the viewer's own time zone, the camera's, or UTC. Chosen in the header and remembered.
import { isTimeZone, offsetAt, ownTimeZone } from './timeZone';

export type ClockChoice = 'own' | 'camera' | 'utc';

const KEY = 'vas.clock';
const CHOICES: ClockChoice[] = ['own', 'camera', 'utc'];
const listeners = new Set<() => void>();
let chosen: ClockChoice | null = null;

function recall(): ClockChoice {
  try {
    const kept = localStorage.getItem(KEY);
    return CHOICES.find((choice) => choice === kept) ?? 'own';
  } catch {
    // Storage can be forbidden.
    return 'own';
  }
}

export const clockChoice = (): ClockChoice => (chosen ??= recall());

export function chooseClock(choice: ClockChoice): void {
  chosen = choice;
  try {
    localStorage.setItem(KEY, choice);
  } catch {
    // The choice lasts until the page is closed.
  }
  for (const tell of listeners) tell();
}

export function subscribeToClock(tell: () => void): () => void {
  listeners.add(tell);
  return () => listeners.delete(tell);
}

/** The zone in which times are shown; without a camera, or where its zone is unknown, the viewer's own stands for it. */
export function shownZone(cameraZone?: string | null, choice: ClockChoice = clockChoice()): string {
  if (choice === 'utc') return 'UTC';
  return choice === 'camera' && cameraZone && isTimeZone(cameraZone) ? cameraZone : ownTimeZone();
}

/** Whether clocks in the zone differ from the viewer's own at this moment: then a time needs its zone beside it. */
export const isForeignZone = (timeZone: string, atMs: number): boolean =>
  offsetAt(timeZone, atMs) !== offsetAt(ownTimeZone(), atMs);
