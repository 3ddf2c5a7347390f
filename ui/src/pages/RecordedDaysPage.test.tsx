// A camera's footage by date.
import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { buildCoverageDay, buildRecordedDate, buildRecording, buildTimeline } from '../../test/recordingFactories';
import { renderAt } from '../../test/render';
import { StubApi } from '../../test/StubApi';
import { addDays } from '../formatting/calendarDates';
import { chooseClock } from '../formatting/shownZone';
import { dateOf } from '../formatting/timeZone';
import { RecordedDaysPage } from './RecordedDaysPage';

let api: StubApi;
const ZONE = 'Europe/Berlin';
// In this zone the next day, and with it the next month, has begun.
const NOW = Date.parse('2026-11-30T23:30:00Z');
const today = dateOf(ZONE, NOW);
const yesterday = addDays(today, -1);
const gap = {
  start: `${yesterday}T10:00:00Z`,
  end: `${yesterday}T10:02:03Z`,
  seconds: 123,
  reason: { code: 'refused', message: 'the camera refuses connections', remedy: null },
  by: null,
  is_wanted: true,
};

beforeEach(() => {
  vi.setSystemTime(NOW);
  chooseClock('camera');
  api = new StubApi({
    'GET /recordings/devices/d1': { body: buildRecording({ newest: new Date().toISOString() }) },
    'GET /recordings/devices/d1/dates': { body: [buildRecordedDate(yesterday, { gaps: 1 }), buildRecordedDate(today)] },
    'GET /recordings/devices/d1/coverage': ({ query }) => ({
      body: [
        buildCoverageDay(yesterday, { coverage: 0.9985, recorded_seconds: 86_277, gaps: [gap] }),
        buildCoverageDay(today),
      ].filter(({ date }) => date >= (query.get('from') ?? '') && date <= (query.get('to') ?? '')),
    }),
    'GET /recordings/devices/d1/timeline': { body: buildTimeline() },
  });
});
afterEach(() => {
  chooseClock('own');
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const show = (address = '/recordings/d1') =>
  renderAt(address, [{ path: '/recordings/:id', element: <RecordedDaysPage /> }]);

test('the page opens at the newest day, in the time zone of the camera', async () => {
  show();
  expect(await screen.findByText('Nothing is missing on this day.')).toBeInTheDocument();
  expect(api.all('GET /recordings/devices/d1/dates')[0]?.query.get('time_zone')).toBe(ZONE);
});

test('each gap of a day shows time, length and reason, and links to the footage before it', async () => {
  show(`/recordings/d1?date=${yesterday}`);
  const gaps = (await screen.findAllByRole('list', { name: 'Gaps' }))[0]!;
  expect(gaps).toHaveTextContent('2 min 3 s');
  expect(gaps).toHaveTextContent('The camera refuses connections.');
  expect(within(gaps).getByRole('link', { name: 'Play before gap' })).toHaveAttribute(
    'href',
    `/devices/d1?t=${encodeURIComponent(`${yesterday}T09:59:55.000Z`)}`,
  );
});

test('incomplete coverage is never rounded up to 100 %', async () => {
  show(`/recordings/d1?date=${yesterday}`);
  expect((await screen.findAllByText('99.8 %')).length).toBeGreaterThan(0);
});

test('a day selected in the calendar is kept in the address', async () => {
  const router = show();
  await screen.findByText('Nothing is missing on this day.');
  await userEvent.click(screen.getByRole('button', { name: 'Previous month' }));
  await waitFor(() => expect(document.querySelector(`[data-date="${yesterday}"][data-footage]`)).not.toBeNull());
  await userEvent.click(document.querySelector(`[data-date="${yesterday}"]`)!);
  expect(router.state.location.search).toBe(`?date=${yesterday}`);
  expect(await screen.findByRole('list', { name: 'Gaps' })).toBeInTheDocument();
});

test('the report expands its gaps and downloads the days shown as CSV', async () => {
  show();
  await userEvent.click(await screen.findByRole('button', { name: /^1 gaps on/ }));
  expect(screen.getByRole('list', { name: 'Gaps' })).toHaveTextContent('2 min 3 s');
  await userEvent.click(screen.getByText('30 days'));
  const url = new URL(screen.getByRole('link', { name: 'CSV' }).getAttribute('href') ?? '', 'http://x');
  expect(Object.fromEntries(url.searchParams)).toEqual({
    from: addDays(today, -29),
    to: today,
    time_zone: ZONE,
    format: 'csv',
  });
});

test('a missing camera shows the page for missing addresses', async () => {
  api.set('GET /recordings/devices/d1', { status: 404, body: { message: 'there is no device' } });
  show();
  expect(await screen.findByText('Camera not found')).toBeInTheDocument();
});

test('an address with an invalid date shows the newest day', async () => {
  show('/recordings/d1?date=2026-99-99');
  expect(await screen.findByText('Nothing is missing on this day.')).toBeInTheDocument();
});
