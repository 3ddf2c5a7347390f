// Search, filters, sort order and page of the device list, kept in the address so that the list can be shared and bookmarked.
import { useCallback, useMemo } from 'react';
import { useSearchParams } from 'react-router';
import type { DeviceListQuery } from '../api/devices';

const PAGE_SIZES = [10, 25, 50, 100];
const DEFAULTS: DeviceListQuery = { page: 1, pageSize: 25, sort: 'name', q: '', tag: '', state: '' };

function parse(search: URLSearchParams): DeviceListQuery {
  const page = Number(search.get('page'));
  const pageSize = Number(search.get('page_size'));
  return {
    page: Number.isInteger(page) && page > 0 ? page : DEFAULTS.page,
    pageSize: PAGE_SIZES.includes(pageSize) ? pageSize : DEFAULTS.pageSize,
    sort: search.get('sort') ?? DEFAULTS.sort,
    q: search.get('q') ?? '',
    tag: search.get('tag') ?? '',
    state: search.get('state') ?? '',
  };
}

function format(query: DeviceListQuery): URLSearchParams {
  const search = new URLSearchParams();
  if (query.q) search.set('q', query.q);
  if (query.state) search.set('state', query.state);
  if (query.tag) search.set('tag', query.tag);
  if (query.sort !== DEFAULTS.sort) search.set('sort', query.sort);
  if (query.page !== DEFAULTS.page) search.set('page', String(query.page));
  if (query.pageSize !== DEFAULTS.pageSize) search.set('page_size', String(query.pageSize));
  return search;
}

export function useDeviceListQuery() {
  const [search, setSearch] = useSearchParams();
  const query = useMemo(() => parse(search), [search]);
  /** Any change other than the page number returns to the first page. */
  const change = useCallback(
    (patch: Partial<DeviceListQuery>) => {
      setSearch((current) => format({ ...parse(current), page: 1, ...patch }), { replace: true });
    },
    [setSearch],
  );
  const isFiltered = Boolean(query.q || query.tag || query.state);
  return { query, change, isFiltered, pageSizes: PAGE_SIZES };
}
