// Keyboard shortcuts of the player, active on its whole page unless the focused element needs the key.
import { useEffect } from 'react';

/** By `KeyboardEvent.key` in lower case, prefixed with "Shift+" where shift must be pressed: { ' ': toggle, 'Shift+arrowleft': back }. */
export type PlayerKeys = Record<string, () => void>;

const REPEATABLE = new Set(['arrowleft', 'arrowright', 'Shift+arrowleft', 'Shift+arrowright', ',', '.']);
const TAKEN_BY =
  'input, textarea, select, [role="dialog"], [role="menu"], [role="slider"], [role="grid"], [role="listbox"]';

function isTaken(event: KeyboardEvent): boolean {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return true;
  const target = event.target instanceof HTMLElement ? event.target : null;
  if (!target) return false;
  // A segment of a segmented control is an <input> without text: it needs only the arrows and space.
  if (target instanceof HTMLInputElement && target.type === 'radio')
    return event.key === ' ' || event.key.startsWith('Arrow');
  if (target.isContentEditable) return true;
  const owner = target.closest(TAKEN_BY);
  // A slider needs arrows, digits and the like; letters and space go to the player. The timeline takes the keys it uses
  // itself and leaves the rest, so that arrows mean the same wherever the focus is.
  if (owner)
    return (
      owner.getAttribute('role') !== 'slider' ||
      !(owner.matches('[data-player-keys]') || /^[a-z?,. ]$/i.test(event.key))
    );
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
