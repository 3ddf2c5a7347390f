// Hides the player's bars in full screen, and on a phone held sideways, while nothing moves.
import { useEffect, type RefObject } from 'react';

export const REST_MS = 3_000;
const WAKES = ['pointermove', 'pointerdown', 'keydown', 'focusin', 'wheel'] as const;
const KEEPS_OPEN = '[aria-expanded="true"], [role="menu"], [role="dialog"]';

/** Sets `data-resting` on the frame, so that no rendering is needed; `isAwake` keeps the bars (a paused picture). */
export function useRestingBars(frame: RefObject<HTMLElement | null>, isAwake: boolean): void {
  useEffect(() => {
    const element = frame.current;
    if (!element) return undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const rest = () => {
      const isUsed = element.querySelector(`.mantine-Menu-dropdown, .mantine-Popover-dropdown, ${KEEPS_OPEN}`) !== null;
      if (isUsed) timer = setTimeout(rest, REST_MS);
      else element.setAttribute('data-resting', 'true');
    };
    const wake = () => {
      element.removeAttribute('data-resting');
      clearTimeout(timer);
      if (!isAwake) timer = setTimeout(rest, REST_MS);
    };
    wake();
    for (const kind of WAKES) element.addEventListener(kind, wake);
    document.addEventListener('keydown', wake);
    document.addEventListener('fullscreenchange', wake);
    return () => {
      clearTimeout(timer);
      element.removeAttribute('data-resting');
      for (const kind of WAKES) element.removeEventListener(kind, wake);
      document.removeEventListener('keydown', wake);
      document.removeEventListener('fullscreenchange', wake);
    };
  }, [frame, isAwake]);
}
