// One error shape, whatever went wrong.
import { afterEach, expect, test, vi } from 'vitest';
import { StubApi } from '../../test/StubApi';
import { flattenErrors, request } from './http';

afterEach(() => vi.unstubAllGlobals());

test('errors are flattened to one sentence for each field', () => {
  expect(flattenErrors({ json: { name: ['is taken'], tags: { 0: ['is too long'] } } })).toEqual({
    name: 'is taken',
    tags: 'is too long',
  });
  expect(flattenErrors({ name: ['is taken'] })).toEqual({ name: 'is taken' });
  expect(flattenErrors(null)).toEqual({});
});

test('a refusal carries status, reason, message and fields', async () => {
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

test("a proxy's page instead of JSON still makes a sentence", async () => {
  vi.stubGlobal('fetch', () => Promise.resolve(new Response('<html>', { status: 502 })));
  await expect(request('/x')).rejects.toMatchObject({
    status: 502,
    message: 'the server could not answer; its log says why',
  });
});

test('no answer at all is status 0', async () => {
  vi.stubGlobal('fetch', () => Promise.reject(new TypeError('failed to fetch')));
  await expect(request('/x')).rejects.toMatchObject({ status: 0, reason: 'unreachable' });
});

test('giving up is not an error of the server', async () => {
  vi.stubGlobal('fetch', (_: string, init: RequestInit) => Promise.reject(init.signal?.reason as Error));
  await expect(request('/x', { signal: AbortSignal.abort() })).rejects.toMatchObject({ name: 'AbortError' });
});
