// Filters of the gallery and the open snapshot, kept in the address for sharing and for the browser's history.
import { useCallback, useMemo } from 'react';
import { useSearchParams } from 'react-router';
import { addDays } from '../formatting/calendarDates';
import { dateOf, dayBounds } from '../formatting/timeZone';
import { useShownZone } from '../widgets/useShownZone';
import { useNow } from '../widgets/useNow';
import type { SnapshotFilter } from './useSnapshots';

export const SPANS = ['today', 'yesterday', '7d', '30d'] as const;
export type Span = (typeof SPANS)[number];

export interface GalleryQuery {
  deviceId: string;
  kind: string;
  tag: string;
  q: string;
  /** A range of days relative to today, 'custom' for `from` and `to`, or '' for any time. */
  span: Span | 'custom' | '';
  /** Dates ("2026-11-22"), both inclusive; '' for no limit. */
  from: string;
  to: string;
  order: 'newest' | 'oldest';
}

const EMPTY: GalleryQuery = { deviceId: '', kind: '', tag: '', q: '', span: '', from: '', to: '', order: 'newest' };
const NAMES: Record<keyof GalleryQuery, string> = {
  deviceId: 'device',
  kind: 'kind',
  tag: 'tag',
  q: 'q',
  span: 'when',
  from: 'from',
  to: 'to',
  order: 'order',
};
const KINDS = ['live', 'historical', 'scheduled'];
const DATE = /^\d{4}-\d\d-\d\d$/;

function parse(search: URLSearchParams): GalleryQuery {
  const valueOf = (name: keyof GalleryQuery) => search.get(NAMES[name]) ?? '';
  const date = (name: 'from' | 'to') =>
    DATE.test(valueOf(name)) && Number.isFinite(Date.parse(valueOf(name))) ? valueOf(name) : '';
  const [from, to] = [date('from'), date('to')];
  const span = SPANS.find((known) => known === valueOf('span'));
  return {
    deviceId: valueOf('deviceId'),
    kind: KINDS.includes(valueOf('kind')) ? valueOf('kind') : '',
    tag: valueOf('tag'),
    q: valueOf('q'),
    span: span ?? (from || to || valueOf('span') === 'custom' ? 'custom' : ''),
    from: span ? '' : from,
    to: span ? '' : to,
    order: valueOf('order') === 'oldest' ? 'oldest' : 'newest',
  };
}

function format(query: GalleryQuery): URLSearchParams {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query) as [keyof GalleryQuery, string][]) {
    if (value !== EMPTY[name]) search.set(NAMES[name], value);
  }
  return search;
}

/** The first and the last date of the query; empty for no limit. */
export function datesOf(query: GalleryQuery, today: string): { from: string; to: string } {
  switch (query.span) {
    case 'today':
      return { from: today, to: '' };
    case 'yesterday':
      return { from: addDays(today, -1), to: addDays(today, -1) };
    case '7d':
      return { from: addDays(today, -6), to: '' };
    case '30d':
      return { from: addDays(today, -29), to: '' };
    default:
      return query.from && query.to && query.from > query.to
        ? { from: query.to, to: query.from }
        : { from: query.from, to: query.to };
  }
}

function filterOf(query: GalleryQuery, timeZone: string, today: string): SnapshotFilter {
  const { from, to } = datesOf(query, today);
  return {
    deviceId: query.deviceId || undefined,
    kind: query.kind || undefined,
    tag: query.tag || undefined,
    q: query.q || undefined,
    start: from ? new Date(dayBounds(timeZone, from).startMs).toISOString() : undefined,
    end: to ? new Date(dayBounds(timeZone, to).endMs).toISOString() : undefined,
    order: query.order,
  };
}

export function useSnapshotQuery() {
  const [search, setSearch] = useSearchParams();
  const timeZone = useShownZone();
  const today = dateOf(timeZone, useNow(60_000));
  const query = useMemo(() => parse(search), [search]);
  const filter = useMemo(() => filterOf(query, timeZone, today), [query, timeZone, today]);
  const change = useCallback(
    (patch: Partial<GalleryQuery>) =>
      setSearch((current) => format({ ...parse(current), ...patch }), { replace: true, preventScrollReset: true }),
    [setSearch],
  );
  /** null closes the snapshot. A step to another one adds no entry to the history. */
  const open = useCallback(
    (id: string | null, { isStep = false } = {}) =>
      setSearch(
        (current) => {
          const next = new URLSearchParams(current);
          if (id) next.set('snapshot', id);
          else next.delete('snapshot');
          return next;
        },
        { replace: isStep || id === null, preventScrollReset: true },
      ),
    [setSearch],
  );
  const isFiltered = Boolean(query.deviceId || query.kind || query.tag || query.q || filter.start || filter.end);
  return { query, filter, change, isFiltered, openId: search.get('snapshot'), open, timeZone, today };
}

export const NO_FILTERS: Partial<GalleryQuery> = { ...EMPTY };
