// The page of recordings: list, search, links and storage.
import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { buildCoverageDay, buildRecording, buildStorage, buildTimeline } from '../../test/recordingFactories';
import { renderAt } from '../../test/render';
import { StubApi } from '../../test/StubApi';
import { addDays } from '../formatting/calendarDates';
import { dateOf, ownTimeZone } from '../formatting/timeZone';
import { RecordingsPage } from './RecordingsPage';

let api: StubApi;
const NOW = Date.parse('2026-11-22T12:00:00Z');
const today = dateOf(ownTimeZone(), NOW);
const yesterday = addDays(today, -1);
const listed = (items: unknown[]) => ({
  body: items,
  headers: { 'X-Pagination': JSON.stringify({ total: items.length, total_pages: 1 }) },
});
const show = (address = '/recordings') => renderAt(address, [{ path: '/recordings', element: <RecordingsPage /> }]);

beforeEach(() => {
  vi.setSystemTime(NOW);
  const reason = { code: 'refused', message: 'the camera refuses connections', remedy: null };
  const gap = { start: `${yesterday}T10:00:00Z`, end: `${yesterday}T11:00:00Z`, seconds: 3600, reason, by: null };
  api = new StubApi({
    'GET /recordings': listed([buildRecording()]),
    'GET /recordings/storage': { body: buildStorage() },
    'GET /recordings/coverage': {
      body: [
        buildCoverageDay(yesterday, {
          recorded_seconds: 82_800,
          coverage: 0.958,
          gaps: [
            { ...gap, is_wanted: true },
            { ...gap, is_wanted: false },
          ],
        }),
        buildCoverageDay(today, { recorded_seconds: 0, wanted_seconds: 0, coverage: null }),
      ],
    },
    'GET /recordings/devices/d1/timeline': ({ query }) => ({
      body: buildTimeline({ spans: [{ start: query.get('start') ?? '', end: query.get('end') ?? '', coverage: 1 }] }),
    }),
  });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test('a camera shows the state, size and retention of its recording', async () => {
  show();
  const row = await screen.findByTestId('recording-row');
  expect(row).toHaveTextContent('Recording');
  expect(row).toHaveTextContent('146 GB');
  expect(row).toHaveTextContent('14 days');
  expect(within(row).getByRole('link', { name: 'Main gate' })).toHaveAttribute('href', '/recordings/d1');
});

test('each of the last days shows its coverage and links to the day', async () => {
  show();
  const bar = await screen.findByRole('link', { name: /23 h recorded, 95 % coverage, 1 gap$/ });
  expect(bar).toHaveAttribute('href', `/recordings/d1?date=${yesterday}`);
  expect(screen.getAllByRole('link', { name: /nothing recorded/ }).length).toBeGreaterThan(0);
});

test('a stopped recording shows who stopped it', async () => {
  api.set(
    'GET /recordings',
    listed([
      buildRecording({
        observed: 'off',
        is_wanted: false,
        override: { wish: 'off', by: 'operator', at: '2026-11-22T10:00:00Z', until: null },
      }),
    ]),
  );
  show();
  expect(await screen.findByText('Stopped by operator.')).toBeInTheDocument();
});

test('without cameras the page shows what to do', async () => {
  api.set('GET /recordings', listed([]));
  show();
  expect(await screen.findByText('No recordings yet')).toBeInTheDocument();
  expect(screen.getByRole('link', { name: 'Add camera' })).toHaveAttribute('href', '/devices/new');
});

test('a search without results can be cleared', async () => {
  api.set('GET /recordings', ({ query }) => listed(query.get('q') ? [] : [buildRecording()]));
  show('/recordings?q=zebra');
  await userEvent.click(await screen.findByRole('button', { name: 'Show all cameras' }));
  expect(await screen.findByTestId('recording-row')).toBeInTheDocument();
});

test('one day of all cameras is kept in the address, and its strip starts playback', async () => {
  const router = show();
  await screen.findByTestId('recording-row');
  await userEvent.click(screen.getByRole('button', { name: 'Previous day' }));
  expect(router.state.location.search).toBe(`?date=${yesterday}`);
  const strip = await screen.findByRole('button', { name: /^Main gate, .*footage from/ });
  strip.focus();
  await userEvent.keyboard('{Enter}');
  await waitFor(() => expect(router.state.location.pathname).toBe('/devices/d1'));
  expect(new URLSearchParams(router.state.location.search).get('t')).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/);
});

test('the disk shows its usage and how long the free space lasts', async () => {
  show();
  expect(
    await screen.findByRole('img', { name: '500 GB recordings, 100 GB other data, 400 GB free of 1.0 TB' }),
  ).toBeInTheDocument();
  expect(screen.getByText('about 10 days')).toBeInTheDocument();
});

test('free space lasts indefinitely if the retention limits delete footage first', async () => {
  api.set('GET /recordings/storage', { body: buildStorage({ days_left: null }) });
  show();
  expect(await screen.findByText('always, because older footage is deleted by the limits')).toBeInTheDocument();
});

test('a failing disk shows its reason and remedy', async () => {
  const reason = { code: 'storage_unmounted', message: 'the storage folder is not mounted', remedy: 'mount it again' };
  api.set('GET /recordings/storage', {
    body: buildStorage({ state: 'unavailable', reason, total_bytes: null, free_bytes: null, days_left: null }),
  });
  show();
  expect(await screen.findByText('The storage folder is not mounted.')).toBeInTheDocument();
  expect(screen.getByText('Mount it again.')).toBeInTheDocument();
  expect(screen.queryByText('always, because older footage is deleted by the limits')).not.toBeInTheDocument();
});
