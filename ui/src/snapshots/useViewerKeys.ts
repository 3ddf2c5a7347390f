// Keyboard shortcuts of a full view; ignored while the focus is in a text field or an open list.
import { useEffect, useRef } from 'react';

const TEXT_FIELDS = 'input:not([type="checkbox"]), textarea, select, [contenteditable="true"]';
const OPEN_LIST = '[role="menu"], [role="listbox"]';

/** `keys` by `KeyboardEvent.key` in lower case. In a text field Escape leaves the field first. */
export function useViewerKeys(keys: Record<string, () => void>): void {
  const latest = useRef(keys);
  useEffect(() => {
    latest.current = keys;
  });
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
      const key = event.key.toLowerCase();
      const target = event.target instanceof HTMLElement ? event.target : null;
      if (target?.closest(OPEN_LIST)) return;
      if (target?.closest(TEXT_FIELDS)) {
        if (key === 'escape') target.blur();
        return;
      }
      const act = latest.current[key];
      if (!act) return;
      event.preventDefault();
      act();
    };
    document.addEventListener('keydown', listen);
    return () => document.removeEventListener('keydown', listen);
  }, []);
}
