// Keys of a full view, wherever nothing inside it wants them: who writes, writes.
import { useEffect, useRef } from 'react';

const WRITES = 'input:not([type="checkbox"]), textarea, select, [contenteditable="true"]';
const OPEN_LIST = '[role="menu"], [role="listbox"]';

/** By `KeyboardEvent.key` in lower case. In a field Escape leaves the field first. */
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
      if (target?.closest(WRITES)) {
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
