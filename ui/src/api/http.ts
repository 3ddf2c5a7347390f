// The one place that speaks HTTP: JSON in and out, the server's one error shape, a limit on every wait.

export const API_ROOT = '/api/v1';

/** An answer that is no success, or no answer at all (`status` 0). */
export class ApiError extends Error {
  readonly status: number;
  readonly reason: string | null;
  /** What is wrong with each field, by field name. */
  readonly errors: Record<string, string>;

  constructor(status: number, message: string, reason: string | null = null, errors: Record<string, string> = {}) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.reason = reason;
    this.errors = errors;
  }
}

export interface Answer<T> {
  data: T;
  status: number;
  headers: Headers;
}

export interface RequestOptions {
  method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  query?: Record<string, string | number | undefined>;
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal | undefined;
  timeoutMs?: number;
  /** Statuses outside 200–299 whose body is still the answer. */
  alsoAccept?: number[];
  as?: 'json' | 'blob' | 'text';
}

const DEFAULT_TIMEOUT_MS = 15_000;

/** Flattens `{json: {tags: {0: ["…"]}}}` to `{tags: "…"}`: one sentence for each field of a form. */
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
    const isPlace =
      ['json', 'query', 'path', 'headers'].includes(key) && value && !Array.isArray(value) && typeof value === 'object';
    if (isPlace) Object.assign(flat, flattenErrors(value));
    else {
      const text = firstText(value);
      if (text) flat[key] = text;
    }
  }
  return flat;
}

function buildUrl(path: string, query: RequestOptions['query']): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query ?? {})) {
    if (value !== undefined && value !== '') search.set(key, String(value));
  }
  const text = search.toString();
  return `${API_ROOT}${path}${text ? `?${text}` : ''}`;
}

async function readError(response: Response): Promise<ApiError> {
  let body: { message?: unknown; status?: unknown; reason?: unknown; errors?: unknown } = {};
  try {
    body = (await response.json()) as typeof body;
  } catch {
    // A proxy's page instead of our JSON: the status has to do.
  }
  const errors = flattenErrors(body.errors);
  const message = [body.message, Object.values(errors)[0], body.status].find(
    (text) => typeof text === 'string' && text,
  );
  const fallback =
    response.status >= 500 ? 'the server could not answer; its log says why' : `the server answered ${response.status}`;
  return new ApiError(
    response.status,
    (message as string | undefined) ?? fallback,
    typeof body.reason === 'string' ? body.reason : null,
    errors,
  );
}

/** Sends one request. Throws ApiError, or the signal's own AbortError when the caller gave up. */
export async function request<T>(path: string, options: RequestOptions = {}): Promise<Answer<T>> {
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
    if (timeout.aborted) throw new ApiError(0, 'the server took too long to answer', 'timed_out');
    throw new ApiError(0, 'the server cannot be reached', 'unreachable');
  }
}
