// What panels of plugins may ask: the API below its prefix, and nothing else.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { StubApi } from '../../test/StubApi';
import { ApiError } from './http';
import { requestForPanel } from './panels';

let api: StubApi;

beforeEach(() => {
  api = new StubApi({ 'GET /bell': { body: { rings: 7 } }, 'PATCH /bell': { body: { rings: 8 } } });
});
afterEach(() => vi.unstubAllGlobals());

test('a path below the prefix is asked, with its query', async () => {
  expect(await requestForPanel('/bell?a=1&a=2', { query: { b: 3, c: undefined } })).toEqual({ rings: 7 });
  expect(api.asked[0]?.query.toString()).toBe('a=1&a=2&b=3');
  expect(await requestForPanel('/bell', { method: 'patch', body: { rings: 8 } })).toEqual({ rings: 8 });
  expect(api.asked[1]?.body).toEqual({ rings: 8 });
});

test.each(['bell', '', '/../../x', '/%2e%2e/%2e%2e/x', '/..', 'https://evil.example/', '\\evil', null])(
  'the path %j is refused',
  async (path) => {
    await expect(requestForPanel(path as string)).rejects.toThrow(TypeError);
    expect(api.asked).toHaveLength(0);
  },
);

test('another method is refused', async () => {
  await expect(requestForPanel('/bell', { method: 'TRACE' })).rejects.toThrow("'TRACE' must be one of GET");
});

test('an error of the API is passed on', async () => {
  const error = await requestForPanel('/none').catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ApiError);
  expect((error as ApiError).status).toBe(404);
});
