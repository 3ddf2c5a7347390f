// Keys of the player, wherever on its page nothing else wants them.
import { useEffect } from 'react';

/** By `KeyboardEvent.key` in lower case, "Shift+" before it where shift must be held: { ' ': toggle, 'Shift+arrowleft': back }. */
export type PlayerKeys = Record<string, () => void>;

const REPEATABLE = new Set(['arrowleft', 'arrowright', 'Shift+arrowleft', 'Shift+arrowright', ',', '.']);
const TAKEN_BY =
  'input, textarea, select, [role="dialog"], [role="menu"], [role="slider"], [role="grid"], [role="listbox"]';

function isTaken(event: KeyboardEvent): boolean {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return true;
  const target = event.target instanceof HTMLElement ? event.target : null;
  if (!target) return false;
  // A segment of a switch is an <input>, but of no text: only arrows and space are its own.
  if (target instanceof HTMLInputElement && target.type === 'radio')
    return event.key === ' ' || event.key.startsWith('Arrow');
  if (target.isContentEditable) return true;
  const owner = target.closest(TAKEN_BY);
  // A slider wants digits, arrows and such; letters are still the player's.
  if (owner) return owner.getAttribute('role') !== 'slider' || !/^[a-z?,.]$/i.test(event.key);
  return event.key === ' ' && target.closest('button, a, summary') !== null;
}

export function usePlayerKeys(keys: PlayerKeys): void {
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      const key = event.key.toLowerCase();
      const name = event.shiftKey && `Shift+${key}` in keys ? `Shift+${key}` : key;
      const act = keys[name];
      if (!act || (event.repeat && !REPEATABLE.has(name)) || isTaken(event)) return;
      event.preventDefault();
      act();
    };
    document.addEventListener('keydown', listen);
    return () => document.removeEventListener('keydown', listen);
  }, [keys]);
}
