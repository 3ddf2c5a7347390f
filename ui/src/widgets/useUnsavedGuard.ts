// Asks before a page with unsaved changes is left: by a link, the back button, a reload, or closing the tab.
import { useEffect, useEffectEvent, useRef } from 'react';
import { useBlocker } from 'react-router';
import { askToDiscard } from './askToDiscard';

/** Returns a function that lets navigation pass while the changes are being saved. */
export function useUnsavedGuard(isDirty: boolean): (isSaving: boolean) => void {
  const saving = useRef(false);
  const mustAsk = useEffectEvent(() => isDirty && !saving.current);
  const blocker = useBlocker(
    ({ currentLocation, nextLocation }) =>
      isDirty && !saving.current && currentLocation.pathname !== nextLocation.pathname,
  );
  useEffect(() => {
    if (blocker.state !== 'blocked') return;
    void askToDiscard().then((isAgreed) => (isAgreed ? blocker.proceed() : blocker.reset()));
  }, [blocker]);
  useEffect(() => {
    const ask = (event: BeforeUnloadEvent) => {
      if (mustAsk()) event.preventDefault();
    };
    window.addEventListener('beforeunload', ask);
    return () => window.removeEventListener('beforeunload', ask);
  }, []);
  return (isSaving) => {
    saving.current = isSaving;
  };
}
