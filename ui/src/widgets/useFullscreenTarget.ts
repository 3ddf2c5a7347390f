// Where to render menus and dialogs: in the full-screen element, because nothing outside it is visible.
import { useSyncExternalStore } from 'react';

function subscribe(listener: () => void): () => void {
  document.addEventListener('fullscreenchange', listener);
  return () => document.removeEventListener('fullscreenchange', listener);
}

const current = (): HTMLElement | undefined => (document.fullscreenElement as HTMLElement | null) ?? undefined;

/** A value for `portalProps`; empty while no element is full screen. */
export function useFullscreenTarget(): { target?: HTMLElement } {
  const target = useSyncExternalStore(subscribe, current);
  return target ? { target } : {};
}
