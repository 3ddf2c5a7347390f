// The only HTTP client: JSON in and out, the server's one error shape, a timeout for every request.

export const API_ROOT = '/api/v1';

/** An error response of the server, or no response (`status` 0). */
export class ApiError extends Error {
  readonly status: number;
  readonly reason: string | null;
  /** Error messages by field name. */
  readonly errors: Record<string, string>;

  constructor(status: number, message: string, reason: string | null = null, errors: Record<string, string> = {}) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.reason = reason;
    this.errors = errors;
  }
}

export interface ApiResponse<T> {
  data: T;
  status: number;
  headers: Headers;
}

export interface RequestOptions {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Each value of a list is a parameter of its own; undefined and empty values are left out. */
  query?: Record<string, string | number | undefined | readonly string[]>;
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal | undefined;
  timeoutMs?: number;
  /** Statuses outside 200–299 that are accepted like a success. */
  alsoAccept?: number[];
  as?: 'json' | 'blob' | 'text';
}

const DEFAULT_TIMEOUT_MS = 15_000;

/** Flattens `{json: {tags: {0: ["…"]}}}` to `{tags: "…"}`: one message per form field, `values.name` for one in an object. */
export function flattenErrors(errors: unknown): Record<string, string> {
  const flat: Record<string, string> = {};
  if (!errors || typeof errors !== 'object') return flat;
  const firstText = (value: unknown): string | null => {
    if (typeof value === 'string') return value;
    if (value && typeof value === 'object') {
      for (const inner of Object.values(value)) {
        const text = firstText(inner);
        if (text) return text;
      }
    }
    return null;
  };
  for (const [key, value] of Object.entries(errors)) {
    const isLocation =
      ['json', 'query', 'path', 'headers'].includes(key) && value && !Array.isArray(value) && typeof value === 'object';
    if (isLocation) Object.assign(flat, flattenErrors(value));
    else {
      const text = firstText(value);
      if (text) flat[key] = text;
      if (!value || typeof value !== 'object' || Array.isArray(value)) continue;
      for (const [name, inner] of Object.entries(value)) {
        const innerText = /^\d+$/.test(name) ? null : firstText(inner);
        if (innerText) flat[`${key}.${name}`] = innerText;
      }
    }
  }
  return flat;
}

function buildUrl(path: string, query: RequestOptions['query']): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query ?? {})) {
    if (Array.isArray(value)) for (const one of value as readonly string[]) search.append(key, one);
    else if (value !== undefined && value !== '') search.set(key, String(value));
  }
  const text = search.toString();
  return `${API_ROOT}${path}${text ? `?${text}` : ''}`;
}

async function readError(response: Response): Promise<ApiError> {
  let body: { message?: unknown; status?: unknown; reason?: unknown; errors?: unknown } = {};
  try {
    body = (await response.json()) as typeof body;
  } catch {
    // The HTML page of a proxy instead of JSON: only the status is known.
  }
  const errors = flattenErrors(body.errors);
  const message = [body.message, Object.values(errors)[0], body.status].find(
    (text) => typeof text === 'string' && text,
  );
  const fallback =
    response.status >= 500
      ? 'the server failed to handle the request; see its log'
      : `the server responded with status ${response.status}`;
  return new ApiError(
    response.status,
    (message as string | undefined) ?? fallback,
    typeof body.reason === 'string' ? body.reason : null,
    errors,
  );
}

/** Sends one request. Throws ApiError, or the signal's own AbortError when the caller aborted it. */
export async function request<T>(path: string, options: RequestOptions = {}): Promise<ApiResponse<T>> {
  const timeout = AbortSignal.timeout(options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
  const signal = options.signal ? AbortSignal.any([options.signal, timeout]) : timeout;
  const headers: Record<string, string> = {
    Accept: options.as && options.as !== 'json' ? '*/*' : 'application/json',
    ...options.headers,
  };
  const init: RequestInit = { method: options.method ?? 'GET', headers, signal };
  if (options.body !== undefined) {
    headers['Content-Type'] = 'application/json';
    init.body = JSON.stringify(options.body);
  }

  try {
    const response = await fetch(buildUrl(path, options.query), init);
    if (!response.ok && !options.alsoAccept?.includes(response.status)) throw await readError(response);
    const isEmpty = response.status === 204;
    const data = isEmpty ? undefined : await response[options.as ?? 'json']();
    return { data: data as T, status: response.status, headers: response.headers };
  } catch (error) {
    if (error instanceof ApiError || options.signal?.aborted) throw error;
    if (timeout.aborted) throw new ApiError(0, 'the server did not respond in time', 'timed_out');
    throw new ApiError(0, 'the server cannot be reached', 'unreachable');
  }
}
