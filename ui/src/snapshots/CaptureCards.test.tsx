// Captures in the player: the request, and its card until the snapshot is done.
import { act, screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { buildJob } from '../../test/jobFactories';
import { renderAt } from '../../test/render';
import { buildSnapshot } from '../../test/snapshotFactories';
import { StubApi } from '../../test/StubApi';
import { useCapture } from './useCapture';
import { CaptureButton } from '../camera/CaptureButton';
import { CaptureCards } from './CaptureCards';

const LIVE = 'POST /snapshots/devices/d1/capture/live';
const HISTORICAL = 'POST /snapshots/devices/d1/capture/historical';
const MOMENT = Date.parse('2026-03-01T10:00:00.480Z');

let api: StubApi;
const seek = vi.fn();

function Harness({ momentMs }: { momentMs: number | null }) {
  const capture = useCapture('d1');
  return (
    <>
      <CaptureButton capture={capture} isRecorded={momentMs !== null} momentOf={() => momentMs} />
      <CaptureCards capture={capture} timeZone="UTC" onSeek={seek} />
    </>
  );
}

const show = (momentMs: number | null = null) =>
  renderAt('/', [{ path: '/', element: <Harness momentMs={momentMs} /> }]);
const press = () => userEvent.click(screen.getByRole('button', { name: 'Take a snapshot' }));

beforeEach(() => {
  api = new StubApi({
    [LIVE]: { status: 201, body: buildSnapshot() },
    [HISTORICAL]: { status: 201, body: buildSnapshot({ kind: 'historical' }) },
    'GET /snapshots': { body: [] },
  });
  seek.mockClear();
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test('a live capture takes the present frame, by button or keyboard, each with its own idempotency key', async () => {
  show();
  await press();
  await userEvent.keyboard('s');
  await waitFor(() => expect(api.all(LIVE)).toHaveLength(2));
  expect(api.all(LIVE)[0]?.body).toEqual({ accuracy: 'exact' });
  const keys = api.all(LIVE).map(({ headers }) => headers.get('Idempotency-Key'));
  expect(keys[0]).toMatch(/^[0-9a-f]{32}$/);
  expect(keys[1]).not.toBe(keys[0]);
});

test('a capture of a recording uses the moment on screen, to the millisecond', async () => {
  show(MOMENT);
  await press();
  await waitFor(() =>
    expect(api.all(HISTORICAL)[0]?.body).toEqual({ accuracy: 'exact', at: '2026-03-01T10:00:00.480Z' }),
  );
});

test('a taken snapshot is shown as a thumbnail, and in full on a click', async () => {
  show();
  await press();
  expect(await screen.findByText('Snapshot taken')).toBeInTheDocument();
  api.set('GET /snapshots/s1', { body: buildSnapshot(), headers: { ETag: '"1"' } });
  await userEvent.click(screen.getByRole('button', { name: 'View the snapshot' }));
  expect(await screen.findByTestId('snapshot-image')).toHaveAttribute('src', '/api/v1/snapshots/s1/image');
});

test('a capture that takes longer is followed to its end', async () => {
  api.set(LIVE, { status: 202, body: buildJob({ kind: 'snapshot', progress: 0 }) });
  api.set('GET /jobs/j1', { body: buildJob({ kind: 'snapshot', progress: 0.5 }) });
  show();
  await press();
  const bar = await screen.findByRole('progressbar', { name: 'Snapshot progress' });
  await waitFor(() => expect(bar).toHaveAttribute('aria-valuenow', '50'));
  const result = {
    url: '',
    name: '',
    size: 0,
    content_type: '',
    start: '',
    end: '',
    duration_seconds: 0,
    notes: [],
    snapshot_id: 's9',
  };
  api.set('GET /jobs/j1', { body: buildJob({ kind: 'snapshot', state: 'done', progress: 1, result }) });
  api.set('GET /snapshots/s9', { body: buildSnapshot({ id: 's9' }) });
  expect(await screen.findByText('Snapshot taken')).toBeInTheDocument();
});

test('a request without a response is sent once more with the same key', async () => {
  const respond = fetch;
  const sent: (string | null)[] = [];
  vi.stubGlobal('fetch', (url: string, init: RequestInit) => {
    if (!url.includes('/capture/')) return respond(url, init);
    sent.push(new Headers(init.headers).get('Idempotency-Key'));
    return sent.length === 1 ? Promise.reject(new TypeError('failed to fetch')) : respond(url, init);
  });
  show();
  await press();
  expect(await screen.findByText('Snapshot taken')).toBeInTheDocument();
  expect(sent).toHaveLength(2);
  expect(sent[1]).toBe(sent[0]);
});

test('a failed job shows its reason and remedy', async () => {
  const error = {
    code: 'picture_damaged',
    message: 'the footage of this moment cannot be decoded',
    remedy: 'choose a moment beside it',
  };
  api.set(LIVE, { status: 202, body: buildJob({ kind: 'snapshot', state: 'failed', error }) });
  show();
  await press();
  expect(
    await screen.findByText('The footage of this moment cannot be decoded. Choose a moment beside it.'),
  ).toBeInTheDocument();
});

test('without footage at the moment, the nearest footage is offered', async () => {
  const errors = { nearest_before: ['2026-03-01T09:58:00Z'], nearest_after: [] };
  api.set(HISTORICAL, { status: 404, body: { message: 'nothing is recorded then', reason: 'no_footage', errors } });
  show(MOMENT);
  await press();
  await userEvent.click(await screen.findByRole('button', { name: 'Show 09:58:00' }));
  expect(seek).toHaveBeenCalledWith(Date.parse('2026-03-01T09:58:00Z'));
  expect(screen.queryByText('No snapshot was taken')).not.toBeInTheDocument();
});

test('a card closes automatically', async () => {
  show();
  vi.useFakeTimers({ shouldAdvanceTime: true });
  await userEvent
    .setup({ advanceTimers: vi.advanceTimersByTime })
    .click(screen.getByRole('button', { name: 'Take a snapshot' }));
  await screen.findByText('Snapshot taken');
  act(() => void vi.advanceTimersByTime(10_000));
  expect(screen.queryByText('Snapshot taken')).not.toBeInTheDocument();
});
