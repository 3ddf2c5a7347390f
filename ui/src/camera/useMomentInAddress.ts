// The moment of a recording in the page's address (?t=2026-11-22T17:05:00Z), so that it can be shared and a reload keeps it.
import { useCallback } from 'react';
import { useSearchParams } from 'react-router';

/** RFC 3339, or milliseconds since 1970 as a plain number; null for anything else. */
export function parseMoment(text: string | null): number | null {
  if (!text) return null;
  const ms = /^\d{12,14}$/.test(text) ? Number(text) : Date.parse(text);
  return Number.isFinite(ms) && ms > 0 ? ms : null;
}

/** Rounded down to the second: people read and type links. */
export const formatAddressMoment = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;

export function useMomentInAddress() {
  const [search, setSearch] = useSearchParams();
  const momentMs = parseMoment(search.get('t'));
  /** null removes the moment from the address. */
  const keep = useCallback(
    (ms: number | null) => {
      setSearch(
        (current) => {
          const next = new URLSearchParams(current);
          if (ms === null) next.delete('t');
          else next.set('t', formatAddressMoment(ms));
          return next;
        },
        { replace: true, preventScrollReset: true },
      );
    },
    [setSearch],
  );
  return { momentMs, keep };
}
