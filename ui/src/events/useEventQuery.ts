// The filter of the events page and the open event, kept in the address for sharing and for the browser's history.
import { useCallback, useMemo } from 'react';
import { useSearchParams } from 'react-router';
import { dateOf } from '../formatting/timeZone';
import { useNow } from '../widgets/useNow';
import { useShownZone } from '../widgets/useShownZone';
import { countFilters, filterOf, formatEventQuery, parseEventQuery, type EventQuery } from './eventFilter';

export function useEventQuery() {
  const [search, setSearch] = useSearchParams();
  const timeZone = useShownZone();
  const today = dateOf(timeZone, useNow(60_000));
  // The open event is no filter: opening one must not read the list again.
  const text = formatEventQuery(parseEventQuery(search)).toString();
  const query = useMemo(() => parseEventQuery(new URLSearchParams(text)), [text]);
  const filter = useMemo(() => filterOf(query, timeZone, today), [query, timeZone, today]);
  const change = useCallback(
    (patch: Partial<EventQuery>) =>
      setSearch((current) => formatEventQuery({ ...parseEventQuery(current), ...patch }), {
        replace: true,
        preventScrollReset: true,
      }),
    [setSearch],
  );
  /** null closes the event. A step to another one adds no entry to the history. */
  const open = useCallback(
    (id: number | null, { isStep = false } = {}) =>
      setSearch(
        (current) => {
          const next = new URLSearchParams(current);
          if (id === null) next.delete('event');
          else next.set('event', String(id));
          return next;
        },
        { replace: isStep || id === null, preventScrollReset: true },
      ),
    [setSearch],
  );
  const opened = search.get('event') ?? '';
  const openId = /^\d{1,16}$/.test(opened) ? Number(opened) : null;
  return { query, filter, change, filters: countFilters(query), openId, open, timeZone, today };
}
