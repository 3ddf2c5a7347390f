// A timeline's data: few chunks, read once; the newest is polled.
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { renderHook, waitFor } from '@testing-library/react';
import type { ReactNode } from 'react';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { buildTimeline } from '../../test/recordingFactories';
import { StubApi } from '../../test/StubApi';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../timeline/model';
import { chunksOf, useTimelineData } from './useTimelineData';

const NOW = Date.parse('2026-11-22T12:00:00Z');
const PATH = 'GET /recordings/devices/d1/timeline';
let api: StubApi;
let client: QueryClient;

beforeEach(() => {
  api = new StubApi({
    [PATH]: ({ query }) => ({ body: buildTimeline({ start: query.get('start') ?? '', end: query.get('end') ?? '' }) }),
  });
  client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
});
afterEach(() => vi.unstubAllGlobals());

const wrapper = ({ children }: { children: ReactNode }) => (
  <QueryClientProvider client={client}>{children}</QueryClientProvider>
);

test('chunks cover the visible range and its neighbours, and none begins in the future', () => {
  for (const width of [MINUTE_MS, HOUR_MS, 25 * HOUR_MS, 300 * DAY_MS]) {
    const range = { startMs: NOW - 2 * width, endMs: NOW - width };
    const chunks = chunksOf(range, NOW);
    const visible = chunks.filter(({ isVisible }) => isVisible);
    expect(visible[0]!.startMs).toBeLessThanOrEqual(range.startMs);
    expect(visible.at(-1)!.endMs).toBeGreaterThanOrEqual(range.endMs);
    expect(visible.length).toBeLessThanOrEqual(2);
    expect(chunks.every(({ startMs }) => startMs < NOW)).toBe(true);
  }
});

test('the requested resolution matches the width of a screen', async () => {
  renderHook(() => useTimelineData('d1', { startMs: NOW - DAY_MS, endMs: NOW }, NOW), { wrapper });
  await waitFor(() => expect(api.all(PATH).length).toBeGreaterThan(1));
  for (const { query } of api.all(PATH)) {
    const seconds = (Date.parse(query.get('end') ?? '') - Date.parse(query.get('start') ?? '')) / 1000;
    expect(seconds / Number(query.get('resolution_seconds'))).toBeGreaterThan(1000);
    expect(seconds / Number(query.get('resolution_seconds'))).toBeLessThan(4100);
  }
});

test('a small move requests nothing new', async () => {
  const past = { startMs: NOW - 30 * DAY_MS, endMs: NOW - 30 * DAY_MS + 5 * HOUR_MS };
  const { rerender } = renderHook(({ range }) => useTimelineData('d1', range, NOW), {
    wrapper,
    initialProps: { range: past },
  });
  await waitFor(() => expect(client.isFetching()).toBe(0));
  const before = api.all(PATH).length;
  rerender({ range: { startMs: past.startMs + MINUTE_MS, endMs: past.endMs + MINUTE_MS } });
  await waitFor(() => expect(client.isFetching()).toBe(0));
  expect(api.all(PATH).length).toBe(before);
});

test('zooming in shows cached data until the finer data is loaded', async () => {
  const day = { startMs: Date.parse('2026-11-22T00:00:00Z'), endMs: NOW };
  const { result, rerender } = renderHook(({ range }) => useTimelineData('d1', range, NOW), {
    wrapper,
    initialProps: { range: day },
  });
  await waitFor(() => expect(result.current.isLoading).toBe(false));
  api.set(PATH, { status: 503, body: { message: 'busy' } });
  rerender({ range: { startMs: day.startMs + HOUR_MS, endMs: day.startMs + HOUR_MS + 20 * MINUTE_MS } });
  expect(result.current.data.spans.length).toBeGreaterThan(0);
});

test('an error is reported while there is no data', async () => {
  api.set(PATH, { status: 503, body: { message: 'the database is away' } });
  const { result } = renderHook(() => useTimelineData('d1', { startMs: NOW - HOUR_MS, endMs: NOW }, NOW), { wrapper });
  await waitFor(() => expect(result.current.error?.message).toBe('the database is away'));
});

test('gaps distinguish lost footage from unwanted footage', async () => {
  const reason = { code: 'refused', message: 'the camera refuses connections', remedy: null };
  const gap = { start: '2026-11-22T10:00:00Z', end: null, reason, by: null };
  api.set(PATH, {
    body: buildTimeline({
      gaps: [
        { ...gap, is_wanted: true },
        { ...gap, start: '2026-11-21T10:00:00Z', end: '2026-11-21T11:00:00Z', is_wanted: false },
      ],
    }),
  });
  const { result } = renderHook(() => useTimelineData('d1', { startMs: NOW - HOUR_MS, endMs: NOW }, NOW), { wrapper });
  await waitFor(() => expect(result.current.data.gaps.map(({ tone }) => tone)).toEqual(['unwanted', 'lost']));
  expect(result.current.data.gaps[1]).toMatchObject({ endMs: null, reason: 'the camera refuses connections' });
});
