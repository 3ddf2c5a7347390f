// Answers fetch() from a table of routes and records the requests.
import { vi } from 'vitest';

export interface Asked {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: Headers;
  body: unknown;
}

export interface StubAnswer {
  status?: number;
  body?: unknown;
  headers?: Record<string, string>;
}

type Route = StubAnswer | ((asked: Asked) => StubAnswer);

export class StubApi {
  readonly asked: Asked[] = [];
  private readonly routes: Record<string, Route>;

  /** `routes` by "METHOD /path below /api/v1". */
  constructor(routes: Record<string, Route>) {
    this.routes = routes;
    vi.stubGlobal('fetch', (url: string, init: RequestInit = {}) => this.answer(url, init));
  }

  set(route: string, answer: Route): void {
    this.routes[route] = answer;
  }

  all(route: string): Asked[] {
    return this.asked.filter(({ method, path }) => `${method} ${path}` === route);
  }

  private async answer(address: string, init: RequestInit): Promise<Response> {
    const url = new URL(address, 'http://stub');
    const asked: Asked = {
      method: init.method ?? 'GET',
      path: url.pathname.replace('/api/v1', ''),
      query: url.searchParams,
      headers: new Headers(init.headers),
      body: typeof init.body === 'string' ? JSON.parse(init.body) : undefined,
    };
    this.asked.push(asked);
    const route = this.routes[`${asked.method} ${asked.path}`];
    if (!route)
      return new Response(JSON.stringify({ message: `no stub for ${asked.method} ${asked.path}` }), { status: 404 });
    const { status = 200, body, headers = {} } = typeof route === 'function' ? route(asked) : route;
    return new Response(status === 204 ? null : JSON.stringify(body), { status, headers });
  }
}
