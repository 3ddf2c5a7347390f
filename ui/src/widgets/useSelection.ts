// What is chosen of a list: one by one, a range with Shift, many at once.
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';

export interface Selection {
  ids: ReadonlySet<string>;
  /** With `isRange` everything between it and the one pressed before becomes what it becomes. */
  toggle: (id: string, isRange: boolean) => void;
  set: (ids: string[], isChosen: boolean) => void;
  clear: () => void;
}

/** `order` is the list as it is shown; what is no longer in it is no longer chosen. */
export function useSelection(order: string[]): Selection {
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const anchor = useRef<string | null>(null);
  const shown = useRef(order);
  useEffect(() => {
    shown.current = order;
  });

  const set = useCallback((changed: string[], isChosen: boolean) => {
    setChosen((current) => {
      const next = new Set(current);
      for (const id of changed) {
        if (isChosen) next.add(id);
        else next.delete(id);
      }
      return next;
    });
  }, []);
  const toggle = useCallback((id: string, isRange: boolean) => {
    const list = shown.current;
    const [from, to] = [list.indexOf(anchor.current ?? id), list.indexOf(id)];
    anchor.current = id;
    setChosen((current) => {
      const next = new Set(current);
      const isChosen = !current.has(id);
      const touched = isRange && from >= 0 ? list.slice(Math.min(from, to), Math.max(from, to) + 1) : [id];
      for (const one of touched) {
        if (isChosen) next.add(one);
        else next.delete(one);
      }
      return next;
    });
  }, []);
  const clear = useCallback(() => setChosen(new Set()), []);
  const ids = useMemo(() => new Set(order.filter((id) => chosen.has(id))), [order, chosen]);
  return { ids, toggle, set, clear };
}
