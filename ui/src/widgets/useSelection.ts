// Selection in a list: single items, a range with Shift, or many at once.
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';

export interface Selection {
  ids: ReadonlySet<string>;
  /** With `isRange`, all items from the one toggled before get the same state. */
  toggle: (id: string, isRange: boolean) => void;
  set: (ids: string[], isSelected: boolean) => void;
  clear: () => void;
}

/** `order` is the list as shown; an item that leaves it is no longer selected. */
export function useSelection(order: string[]): Selection {
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const anchor = useRef<string | null>(null);
  const shown = useRef(order);
  useEffect(() => {
    shown.current = order;
  });

  const set = useCallback((changed: string[], isSelected: boolean) => {
    setSelected((current) => {
      const next = new Set(current);
      for (const id of changed) {
        if (isSelected) next.add(id);
        else next.delete(id);
      }
      return next;
    });
  }, []);
  const toggle = useCallback((id: string, isRange: boolean) => {
    const list = shown.current;
    const [from, to] = [list.indexOf(anchor.current ?? id), list.indexOf(id)];
    anchor.current = id;
    setSelected((current) => {
      const next = new Set(current);
      const isSelected = !current.has(id);
      const changed = isRange && from >= 0 ? list.slice(Math.min(from, to), Math.max(from, to) + 1) : [id];
      for (const each of changed) {
        if (isSelected) next.add(each);
        else next.delete(each);
      }
      return next;
    });
  }, []);
  const clear = useCallback(() => setSelected(new Set()), []);
  const ids = useMemo(() => new Set(order.filter((id) => selected.has(id))), [order, selected]);
  return { ids, toggle, set, clear };
}
