// Asks before a dialog with unsaved changes is closed by Escape, its cross, or a click beside it.
import { useCallback, useEffect, useRef } from 'react';
import { closeUnlessDirty } from './askToDiscard';

export function useAskBeforeClosing(onClose: () => void) {
  const dirty = useRef(false);
  const onDirty = useCallback((isDirty: boolean) => {
    dirty.current = isDirty;
  }, []);
  return { close: () => closeUnlessDirty(dirty.current, onClose), onDirty };
}

/** Tells the dialog whether its form has changes; a form that is gone has none. */
export function useDirty(isDirty: boolean, onDirty: (isDirty: boolean) => void): void {
  useEffect(() => {
    onDirty(isDirty);
    return () => onDirty(false);
  }, [isDirty, onDirty]);
}
