// Undo and redo of polygons that a form holds: a value that comes from elsewhere begins a new history.
import { useState } from 'react';
import type { Shape } from './geometry';

type Shapes = readonly Shape[];

interface History {
  value: Shapes;
  past: Shapes[];
  future: Shapes[];
  /** Changes with the same key after each other are undone together. */
  key: string | null;
}

const MOST_STEPS = 200;
const begin = (value: Shapes): History => ({ value, past: [], future: [], key: null });

export function usePolygonHistory(value: Shapes, onChange: (value: Shapes) => void) {
  const [stored, setHistory] = useState<History>(() => begin(value));
  const history = stored.value === value ? stored : begin(value);

  const change = (next: Shapes, key: string | null = null) => {
    const isSameStep = key !== null && key === history.key;
    const past = isSameStep ? history.past : [...history.past, history.value].slice(-MOST_STEPS);
    setHistory({ value: next, past, future: [], key });
    onChange(next);
  };
  const undo = () => {
    const previous = history.past.at(-1);
    if (previous === undefined) return;
    setHistory({
      value: previous,
      past: history.past.slice(0, -1),
      future: [history.value, ...history.future],
      key: null,
    });
    onChange(previous);
  };
  const redo = () => {
    const [next, ...rest] = history.future;
    if (next === undefined) return;
    setHistory({ value: next, past: [...history.past, history.value], future: rest, key: null });
    onChange(next);
  };

  return { change, undo, redo, canUndo: history.past.length > 0, canRedo: history.future.length > 0 };
}
