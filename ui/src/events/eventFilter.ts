// The filter of the events page as text in the address, and as the API's filter.
import type { EventFilter } from '../api/events';
import { addDays } from '../formatting/calendarDates';
import { dayBounds, instantOf } from '../formatting/timeZone';

export const SPANS = ['today', 'yesterday', '7d', '30d'] as const;
export type Span = (typeof SPANS)[number];

export interface EventQuery {
  deviceIds: string[];
  kinds: string[];
  labels: string[];
  zones: string[];
  /** Percent; 0 for any. */
  minScore: number;
  hasPicture: boolean;
  /** Days relative to today, 'custom' for `from` and `to`, or '' for any time. */
  span: Span | 'custom' | '';
  /** Wall times ("2026-11-22T14:30") on the chosen clock; '' for no limit. */
  from: string;
  to: string;
}

export const NO_FILTER: EventQuery = {
  deviceIds: [],
  kinds: [],
  labels: [],
  zones: [],
  minScore: 0,
  hasPicture: false,
  span: '',
  from: '',
  to: '',
};

const LISTS = { deviceIds: 'device', kinds: 'kind', labels: 'label', zones: 'zone' } as const;
const WALL_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d$/;
const MAX_VALUES = 20;

/** Values that cannot be understood are ignored. */
export function parseEventQuery(search: URLSearchParams): EventQuery {
  const list = (name: string) => [...new Set(search.getAll(name).filter((value) => value))].slice(0, MAX_VALUES);
  const wall = (name: string) => {
    const text = search.get(name) ?? '';
    return WALL_TIME.test(text) && Number.isFinite(Date.parse(`${text}Z`)) ? text : '';
  };
  const [from, to] = [wall('from'), wall('to')];
  const span = SPANS.find((known) => known === search.get('when'));
  const minScore = Number(search.get('score') ?? 0);
  return {
    deviceIds: list(LISTS.deviceIds),
    kinds: list(LISTS.kinds),
    labels: list(LISTS.labels),
    zones: list(LISTS.zones),
    minScore: minScore > 0 && minScore <= 100 ? minScore : 0,
    hasPicture: search.get('picture') === '1',
    span: span ?? (from || to || search.get('when') === 'custom' ? 'custom' : ''),
    from: span ? '' : from,
    to: span ? '' : to,
  };
}

export function formatEventQuery(query: EventQuery): URLSearchParams {
  const search = new URLSearchParams();
  for (const [key, name] of Object.entries(LISTS) as [keyof typeof LISTS, string][])
    for (const value of query[key]) search.append(name, value);
  if (query.minScore > 0) search.set('score', String(query.minScore));
  if (query.hasPicture) search.set('picture', '1');
  if (query.span) search.set('when', query.span);
  if (query.from) search.set('from', query.from);
  if (query.to) search.set('to', query.to);
  return search;
}

export const countFilters = (query: EventQuery): number =>
  [query.deviceIds, query.kinds, query.labels, query.zones].filter(({ length }) => length > 0).length +
  Number(query.minScore > 0) +
  Number(query.hasPicture) +
  Number(query.span !== '');

const isoOf = (ms: number): string => new Date(ms).toISOString();

function rangeOf(query: EventQuery, timeZone: string, today: string): { from: string | null; to: string | null } {
  const startOf = (date: string) => isoOf(dayBounds(timeZone, date).startMs);
  switch (query.span) {
    case 'today':
      return { from: startOf(today), to: null };
    case 'yesterday':
      return { from: startOf(addDays(today, -1)), to: startOf(today) };
    case '7d':
      return { from: startOf(addDays(today, -6)), to: null };
    case '30d':
      return { from: startOf(addDays(today, -29)), to: null };
    default: {
      const wall = (text: string) => (text ? instantOf(timeZone, Date.parse(`${text}:00Z`)) : null);
      const [first, last] = [wall(query.from), wall(query.to)];
      const isReversed = first !== null && last !== null && first > last;
      const [from, to] = isReversed ? [last, first] : [first, last];
      // The last minute belongs to the range.
      return { from: from === null ? null : isoOf(from), to: to === null ? null : isoOf(to + 60_000) };
    }
  }
}

export function filterOf(query: EventQuery, timeZone: string, today: string): EventFilter {
  return {
    deviceIds: query.deviceIds,
    kinds: query.kinds,
    labels: query.labels,
    zones: query.zones,
    minScore: query.minScore > 0 ? query.minScore / 100 : null,
    hasPicture: query.hasPicture,
    ...rangeOf(query, timeZone, today),
  };
}
