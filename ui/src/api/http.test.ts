// Every failure is an ApiError of the same shape.
import { afterEach, expect, test, vi } from 'vitest';
import { StubApi } from '../../test/StubApi';
import { flattenErrors, request } from './http';

afterEach(() => vi.unstubAllGlobals());

test('errors are flattened to one message per field', () => {
  expect(flattenErrors({ json: { name: ['is taken'], tags: { 0: ['is too long'] } } })).toEqual({
    name: 'is taken',
    tags: 'is too long',
  });
  expect(flattenErrors({ name: ['is taken'] })).toEqual({ name: 'is taken' });
  expect(flattenErrors(null)).toEqual({});
});

test('an error response gives status, reason, message and field errors', async () => {
  new StubApi({
    'GET /x': {
      status: 409,
      body: { code: 409, message: 'the stream is stopped', reason: 'stream_stopped', errors: {} },
    },
  });
  await expect(request('/x')).rejects.toMatchObject({
    status: 409,
    reason: 'stream_stopped',
    message: 'the stream is stopped',
  });
});

test('an HTML error page of a proxy still gives a message', async () => {
  vi.stubGlobal('fetch', () => Promise.resolve(new Response('<html>', { status: 502 })));
  await expect(request('/x')).rejects.toMatchObject({
    status: 502,
    message: 'the server failed to handle the request; see its log',
  });
});

test('a missing response is status 0', async () => {
  vi.stubGlobal('fetch', () => Promise.reject(new TypeError('failed to fetch')));
  await expect(request('/x')).rejects.toMatchObject({ status: 0, reason: 'unreachable' });
});

test('an aborted request throws AbortError, not ApiError', async () => {
  vi.stubGlobal('fetch', (_: string, init: RequestInit) => Promise.reject(init.signal?.reason as Error));
  await expect(request('/x', { signal: AbortSignal.abort() })).rejects.toMatchObject({ name: 'AbortError' });
});
