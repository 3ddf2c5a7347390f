// Keys of the player: space, m, f and s, wherever on its page nothing else wants them.
import { useEffect } from 'react';

export interface PlayerKeys {
  onToggle: () => void;
  onMute: () => void;
  onFullscreen: () => void;
  onStatistics: () => void;
}

function isTaken(event: KeyboardEvent): boolean {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return true;
  const target = event.target instanceof HTMLElement ? event.target : null;
  if (!target) return false;
  if (target.isContentEditable || target.closest('input, textarea, select, [role="dialog"], [role="menu"], [role="slider"]')) return true;
  return event.key === ' ' && target.closest('button, a, summary') !== null;
}

export function usePlayerKeys({ onToggle, onMute, onFullscreen, onStatistics }: PlayerKeys): void {
  useEffect(() => {
    const actions: Record<string, () => void> = { ' ': onToggle, m: onMute, f: onFullscreen, s: onStatistics };
    const listen = (event: KeyboardEvent) => {
      const act = actions[event.key.toLowerCase()];
      if (!act || event.repeat || isTaken(event)) return;
      event.preventDefault();
      act();
    };
    document.addEventListener('keydown', listen);
    return () => document.removeEventListener('keydown', listen);
  }, [onToggle, onMute, onFullscreen, onStatistics]);
}
