// Where menus and dialogs are drawn: the element that fills the screen, for nothing outside it is visible then.
import { useSyncExternalStore } from 'react';

function subscribe(listener: () => void): () => void {
  document.addEventListener('fullscreenchange', listener);
  return () => document.removeEventListener('fullscreenchange', listener);
}

const current = (): HTMLElement | undefined => (document.fullscreenElement as HTMLElement | null) ?? undefined;

/** For `portalProps`; empty while nothing is full screen. */
export function useFullscreenTarget(): { target?: HTMLElement } {
  const target = useSyncExternalStore(subscribe, current);
  return target ? { target } : {};
}
