// Requests that the panels of plugins make: JSON below the prefix of the API, and nowhere else.
import { API_ROOT, request, type RequestOptions } from './http';

export type PanelRequest = Pick<RequestOptions, 'query' | 'body' | 'signal'> & { method?: string };

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

/** Sends a request to a path such as `/devices?page=2`; resolves to the JSON of the reply. Throws ApiError and TypeError. */
export async function requestForPanel(path: string, options: PanelRequest = {}): Promise<unknown> {
  const url = new URL(`${API_ROOT}${path}`, location.origin);
  const isBelow = url.origin === location.origin && url.pathname.startsWith(`${API_ROOT}/`);
  if (typeof path !== 'string' || !path.startsWith('/') || !isBelow)
    throw new TypeError(`'${path}' must be a path below ${API_ROOT}, such as '/devices'`);
  const method = METHODS.find((known) => known === (options.method ?? 'GET').toUpperCase());
  if (!method) throw new TypeError(`'${options.method}' must be one of ${METHODS.join(', ')}`);
  for (const [key, value] of Object.entries(options.query ?? {}))
    for (const one of [value].flat()) if (one !== undefined) url.searchParams.append(key, String(one));
  const { body, signal } = options;
  return (await request<unknown>(`${url.pathname.slice(API_ROOT.length)}${url.search}`, { method, body, signal })).data;
}
