// Search, filters and page of the bookmarks and the id of the open one, kept in the address.
import { useSearchParams } from 'react-router';
import type { BookmarkQuery } from '../api/bookmarks';
import { shownZone } from '../formatting/shownZone';
import { dayBounds } from '../formatting/timeZone';

export interface BookmarkFilter {
  q: string;
  deviceId: string;
  tag: string;
  /** Dates ("2026-11-22") in the viewer's time zone, both inclusive; empty for no limit. */
  from: string;
  to: string;
  order: 'newest' | 'oldest';
  page: number;
  pageSize: number;
}

const PAGE_SIZES = [12, 24, 48, 96];
const FIRST_PAGE_SIZE = 24;

const dayOf = (text: string | null): string =>
  text && /^\d{4}-\d\d-\d\d$/.test(text) && Number.isFinite(Date.parse(text)) ? text : '';

function parse(search: URLSearchParams): BookmarkFilter {
  const size = Number(search.get('page_size'));
  return {
    q: search.get('q') ?? '',
    deviceId: search.get('device') ?? '',
    tag: search.get('tag') ?? '',
    from: dayOf(search.get('from')),
    to: dayOf(search.get('to')),
    order: search.get('order') === 'oldest' ? 'oldest' : 'newest',
    page: Math.max(1, Math.floor(Number(search.get('page'))) || 1),
    pageSize: PAGE_SIZES.includes(size) ? size : FIRST_PAGE_SIZE,
  };
}

export function bookmarkQueryOf({ q, deviceId, tag, from, to, order, page, pageSize }: BookmarkFilter): BookmarkQuery {
  const zone = shownZone();
  const iso = (ms: number) => new Date(ms).toISOString();
  return {
    page,
    pageSize,
    q,
    deviceId,
    tag,
    start: from ? iso(dayBounds(zone, from).startMs) : undefined,
    end: to ? iso(dayBounds(zone, to).endMs) : undefined,
    order,
  };
}

export function useBookmarkQuery() {
  const [search, setSearch] = useSearchParams();
  const filter = parse(search);
  const put = (patch: Record<string, string | null>, isStep = false) =>
    setSearch(
      (current) => {
        const next = new URLSearchParams(current);
        for (const [key, value] of Object.entries(patch)) {
          if (value) next.set(key, value);
          else next.delete(key);
        }
        return next;
      },
      { replace: !isStep, preventScrollReset: true },
    );
  return {
    filter,
    isFiltered: Boolean(filter.q || filter.deviceId || filter.tag || filter.from || filter.to),
    openId: search.get('bookmark'),
    pageSizes: PAGE_SIZES,
    /** A change of anything but the page returns to the first page. */
    change: ({ page, pageSize, order, deviceId, ...rest }: Partial<BookmarkFilter>) =>
      put({
        ...rest,
        ...(deviceId === undefined ? {} : { device: deviceId }),
        ...(order ? { order: order === 'newest' ? null : order } : {}),
        ...(pageSize ? { page_size: String(pageSize) } : {}),
        page: page && page > 1 ? String(page) : null,
      }),
    clear: () => put({ q: null, device: null, tag: null, from: null, to: null, page: null }),
    /** Opening adds an entry to the browser's history: going back closes the bookmark. */
    open: (id: string | null) => put({ bookmark: id }, id !== null),
  };
}
