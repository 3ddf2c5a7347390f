// One camera's page: live and recorded video in one player, and the actions on a marked range.
import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { buildDevice, buildStream } from '../../test/factories';
import { buildJob } from '../../test/jobFactories';
import { buildRecording, buildTimeline } from '../../test/recordingFactories';
import { renderAt } from '../../test/render';
import { StubApi, type Asked } from '../../test/StubApi';
import type { Job } from '../api/jobs';
import { chooseClock } from '../formatting/shownZone';
import { DevicePage } from './DevicePage';
// Loaded when they are shown; ahead here, so that no test waits for the compiler.
import '../camera/FootageTimeline';
import '../camera/JumpToTime';
import '../camera/RangeBar';
import '../schedules/TimeLapseDialog';

const T = '2026-03-01T10:00:00Z';
const OF_DEVICE = '/recordings/devices/d1';

let api: StubApi;

const show = (address = '/devices/d1') => renderAt(address, [{ path: '/devices/:id', element: <DevicePage /> }]);
const pressKey = (key: string) => userEvent.keyboard(key);

beforeEach(() => {
  localStorage.clear();
  chooseClock('own');
  HTMLMediaElement.prototype.play = () => Promise.resolve();
  HTMLMediaElement.prototype.pause = () => {};
  HTMLMediaElement.prototype.load = () => {};
  api = new StubApi({
    'GET /devices/d1': { body: buildDevice() },
    'GET /streams/d1': { body: buildStream() },
    'GET /devices/d1/events': { body: [] },
    [`GET ${OF_DEVICE}`]: { body: buildRecording() },
    [`GET ${OF_DEVICE}/timeline`]: { body: buildTimeline() },
    [`GET ${OF_DEVICE}/playlist`]: { status: 503, body: { message: 'the database is away' } },
    'GET /jobs': { body: [] },
    'GET /devices/d1/plugins': { body: [] },
  });
});

afterEach(() => vi.unstubAllGlobals());

test('an address with a moment opens the recording there', async () => {
  show(`/devices/d1?t=${T}`);
  await waitFor(() => expect(api.all(`GET ${OF_DEVICE}/playlist`)).toHaveLength(1));
  const query = api.all(`GET ${OF_DEVICE}/playlist`)[0]?.query;
  expect(Date.parse(query?.get('start') ?? '')).toBeLessThan(Date.parse(T));
  expect(Date.parse(query?.get('end') ?? '')).toBeGreaterThan(Date.parse(T));
  expect(await screen.findByTestId('recorded-video')).toBeInTheDocument();
});

test('an address without a moment stays live and fetches no recording', async () => {
  show();
  expect(await screen.findByRole('button', { name: 'Watch live' })).toBeInTheDocument();
  await screen.findByRole('slider', { name: /Timeline/ });
  expect(screen.queryByTestId('recorded-video')).not.toBeInTheDocument();
  expect(api.all(`GET ${OF_DEVICE}/playlist`)).toHaveLength(0);
});

test('an error is shown with its message and a button to live', async () => {
  const router = show(`/devices/d1?t=${T}`);
  expect(await screen.findByText('Playback was interrupted')).toBeInTheDocument();
  expect(screen.getByText('The database is away.')).toBeInTheDocument();
  await userEvent.click(screen.getByRole('button', { name: 'Watch live' }));
  await waitFor(() => expect(screen.queryByTestId('recorded-video')).not.toBeInTheDocument());
  expect(router.state.location.search).toBe('');
});

test('a moment without footage shows the message of the server', async () => {
  api.set(`GET ${OF_DEVICE}/playlist`, {
    status: 404,
    body: { message: 'nothing is recorded of this camera', reason: 'no_footage', errors: {} },
  });
  show(`/devices/d1?t=${T}`);
  expect(await screen.findByText('Nothing is recorded of this camera.')).toBeInTheDocument();
});

test('the switch plays from 30 seconds ago and puts the moment into the address', async () => {
  const router = show();
  await userEvent.click(await screen.findByText('Recorded', { selector: 'label *, label' }));
  await waitFor(() => expect(router.state.location.search).toMatch(/^\?t=/));
  const moment = Date.parse(new URLSearchParams(router.state.location.search).get('t') ?? '');
  expect(Math.abs(Date.now() - 30_000 - moment)).toBeLessThan(5_000);
});

test('the keys r and l switch to recorded and live', async () => {
  const router = show();
  await screen.findByRole('slider', { name: /Timeline/ });
  await pressKey('r');
  expect(await screen.findByTestId('recorded-video')).toBeInTheDocument();
  await pressKey('l');
  await waitFor(() => expect(screen.queryByTestId('recorded-video')).not.toBeInTheDocument());
  expect(router.state.location.search).toBe('');
});

test('a camera without recordings shows the reason and a link to the settings', async () => {
  api.set(`GET ${OF_DEVICE}`, { body: buildRecording({ oldest: null, newest: null, mode: 'off', observed: 'off' }) });
  show();
  expect(await screen.findByText('Recording is off for this camera.')).toBeInTheDocument();
  expect(screen.getByRole('link', { name: 'Recording settings' })).toHaveAttribute('href', '/devices/d1/recording');
});

test('jumping asks for date and time on the chosen clock, here the camera’s', async () => {
  chooseClock('camera');
  const router = show(`/devices/d1?t=${T}`);
  await screen.findByTestId('recorded-video');
  await pressKey('j');
  const dialog = await screen.findByRole('dialog');
  // Berlin in winter is an hour ahead of UTC.
  expect(within(dialog).getByLabelText('Time')).toHaveValue('11:00:00');
  await userEvent.clear(within(dialog).getByLabelText('Date'));
  await userEvent.type(within(dialog).getByLabelText('Date'), '2026-02-27');
  await userEvent.click(within(dialog).getByRole('button', { name: 'Show' }));
  await waitFor(() => expect(router.state.location.search).toContain(encodeURIComponent('2026-02-27T10:00:00Z')));
});

const exportsAre =
  (jobs: Job[]) =>
  ({ query }: Asked) => ({ body: query.get('kind') === 'export' ? jobs : [] });

test('a marked range becomes a time-lapse', async () => {
  api.set('POST /snapshots/devices/d1/time-lapse', {
    status: 202,
    body: buildJob({ kind: 'time_lapse', state: 'queued', progress: 0 }),
  });
  show(`/devices/d1?t=${T}`);
  await userEvent.click(await screen.findByRole('button', { name: 'Mark end' }));
  await userEvent.click(await screen.findByRole('button', { name: 'Time-lapse…' }));
  await userEvent.click(await screen.findByRole('button', { name: 'Create' }));
  await waitFor(() => expect(api.all('POST /snapshots/devices/d1/time-lapse')).toHaveLength(1));
  const sent = api.all('POST /snapshots/devices/d1/time-lapse')[0]?.body;
  expect(sent).toMatchObject({
    source: 'recordings',
    start: '2026-03-01T09:59:00.000Z',
    end: '2026-03-01T10:00:00.000Z',
    length_seconds: 15,
  });
});

test('a marked range is exported, followed and cancelled', async () => {
  api.set(`POST ${OF_DEVICE}/export`, { status: 202, body: buildJob({ state: 'queued', progress: 0 }) });
  api.set('POST /jobs/j1/cancel', { status: 202, body: buildJob({ state: 'cancelled' }) });
  show(`/devices/d1?t=${T}`);
  await userEvent.click(await screen.findByRole('button', { name: 'Mark end' }));
  api.set('GET /jobs', exportsAre([buildJob({ progress: 0.42, stage: 'reading footage' })]));
  await userEvent.click(await screen.findByRole('button', { name: 'Ways to cut the export' }));
  await userEvent.click(await screen.findByRole('menuitem', { name: /Cut exactly/ }));
  await waitFor(() => expect(api.all(`POST ${OF_DEVICE}/export`)).toHaveLength(1));
  expect(api.all(`POST ${OF_DEVICE}/export`)[0]?.body).toEqual({
    start: '2026-03-01T09:59:00.000Z',
    end: '2026-03-01T10:00:00.000Z',
    cut: 'exact',
  });
  expect(await screen.findByText('Reading footage, 42 %')).toBeInTheDocument();
  api.set('GET /jobs', exportsAre([buildJob({ state: 'cancelled' })]));
  await userEvent.click(screen.getByRole('button', { name: /^Cancel the export/ }));
  expect(await screen.findByText('Cancelled')).toBeInTheDocument();
});

test('a finished export has a download link, a failed one shows the reason', async () => {
  const result = {
    url: '/api/v1/jobs/j1/result',
    name: 'gate.mp4',
    size: 12_300_000,
    content_type: 'video/mp4',
    start: T,
    end: '2026-03-01T10:05:00Z',
    duration_seconds: 300,
    notes: ['4 s are missing: the camera was away'],
  };
  const failure = { code: 'disk_full', message: 'the disk for exports is full', remedy: 'remove old exports' };
  api.set(
    'GET /jobs',
    exportsAre([
      buildJob({ state: 'done', progress: 1, result }),
      buildJob({ id: 'j2', state: 'failed', error: failure }),
    ]),
  );
  show();
  expect(await screen.findByRole('link', { name: 'Download' })).toHaveAttribute('href', '/api/v1/jobs/j1/result');
  expect(screen.getByText('4 s are missing: the camera was away.')).toBeInTheDocument();
  expect(screen.getByText('The disk for exports is full. Remove old exports.')).toBeInTheDocument();
});

test('deleting counts first, shows the amount, and deletes after the confirmation', async () => {
  const dryRuns: (string | null)[] = [];
  api.set(`DELETE ${OF_DEVICE}/footage`, (request) => {
    dryRuns.push(request.query.get('dry_run'));
    return { status: 202, body: { segments: 3, bytes: 90_000_000, seconds: 180, kept_protected: 1 } };
  });
  show(`/devices/d1?t=${T}`);
  await userEvent.click(await screen.findByRole('button', { name: 'Mark end' }));
  await userEvent.click(screen.getByRole('button', { name: 'Delete…' }));
  const dialog = await screen.findByRole('dialog');
  expect(dialog).toHaveTextContent(/3 min of “Main gate” \(90.0 MB, 3 files\).*cannot be undone/);
  expect(dialog).toHaveTextContent('1 protected file is not deleted either');
  expect(dryRuns).toEqual(['true']);
  await userEvent.click(within(dialog).getByRole('button', { name: 'Delete 3 min' }));
  await waitFor(() => expect(dryRuns).toEqual(['true', null]));
});

test('a range without a complete file is reported without a confirmation', async () => {
  api.set(`DELETE ${OF_DEVICE}/footage`, {
    status: 202,
    body: { segments: 0, bytes: 0, seconds: 0, kept_protected: 0 },
  });
  show(`/devices/d1?t=${T}`);
  await userEvent.click(await screen.findByRole('button', { name: 'Mark end' }));
  await userEvent.click(screen.getByRole('button', { name: 'Delete…' }));
  expect(await screen.findByText('Nothing to delete in this range')).toBeInTheDocument();
  expect(screen.queryByRole('dialog')).not.toBeInTheDocument();
});

test('a range is protected with a reason', async () => {
  api.set(`POST ${OF_DEVICE}/protections`, {
    status: 201,
    body: { id: 1, start: T, end: T, kind: 'hold', note: 'case 7' },
  });
  show(`/devices/d1?t=${T}`);
  await userEvent.click(await screen.findByRole('button', { name: 'Mark end' }));
  await userEvent.click(screen.getByRole('button', { name: 'Protect…' }));
  await userEvent.type(screen.getByLabelText('Reason'), 'case 7');
  await userEvent.click(screen.getByRole('button', { name: 'Protect this range' }));
  await waitFor(() =>
    expect(api.all(`POST ${OF_DEVICE}/protections`)[0]?.body).toMatchObject({
      note: 'case 7',
      end: '2026-03-01T10:00:00.000Z',
    }),
  );
});

test('why a camera does not run, since when, and the cure are told below the title', async () => {
  const reason = { code: 'unauthorized', message: 'the camera refused the password', remedy: 'correct it' };
  api.set('GET /streams/d1', { body: buildStream({ observed: 'reconnecting', reason }) });
  show();
  expect(await screen.findByRole('link', { name: 'Enter user and password' })).toHaveAttribute(
    'href',
    '/devices/d1/edit',
  );
  expect(screen.getByText('The camera refused the password.')).toBeInTheDocument();
});

test('a press on the picture plays a camera that is not connected', async () => {
  show();
  await userEvent.click(await screen.findByTestId('stage'));
  await waitFor(() => expect(api.all('POST /streams/d1/viewers').length).toBeGreaterThan(0));
});

const LOST = { observed: 'reconnecting', transport: null, since: '2026-03-01T09:00:00Z' } as const;

test('a paused login shows the time of the next try on the chosen clock, and is tried now by a press', async () => {
  chooseClock('utc');
  const reason = {
    code: 'login_paused',
    message: 'the camera refused the user name or password three times: the next try is at 2026-03-01T10:05:00Z',
    remedy: 'edit the device',
  };
  api.set('GET /streams/d1', { body: buildStream({ ...LOST, reason }) });
  api.set('POST /rtsp/streams/d1/try-now', { status: 202, body: buildStream() });
  show();
  expect(await screen.findByText(/three times: the next try is at .*10:05/)).toBeInTheDocument();
  expect(screen.queryByText(/tried again by itself/)).not.toBeInTheDocument();
  expect(screen.getByRole('link', { name: 'Enter user and password' })).toBeInTheDocument();
  await userEvent.click(screen.getByRole('button', { name: 'Try now' }));
  await waitFor(() => expect(api.all('POST /rtsp/streams/d1/try-now')).toHaveLength(1));
});

test('a try that fails is told', async () => {
  const reason = { code: 'refused', message: 'nothing listens', remedy: 'check the port' };
  api.set('GET /streams/d1', { body: buildStream({ ...LOST, reason }) });
  api.set('POST /rtsp/streams/d1/try-now', { status: 503, body: { message: 'the queue (Redis) does not answer' } });
  show();
  await userEvent.click(await screen.findByRole('button', { name: 'Try now' }));
  expect(await screen.findByText('The queue (Redis) does not answer.')).toBeInTheDocument();
});

test('a stream that waits for a key frame is not tried again', async () => {
  const reason = { code: 'waits_for_key_frame', message: 'the stream waits for 15 s so far', remedy: 'nothing to do' };
  api.set('GET /streams/d1', { body: buildStream({ ...LOST, observed: 'starting', reason }) });
  show();
  expect(await screen.findByText('The stream waits for 15 s so far.')).toBeInTheDocument();
  expect(screen.queryByRole('button', { name: 'Try now' })).not.toBeInTheDocument();
});

test('what is unusual about a stream is shown with its session', async () => {
  const notes = ["without sound: its codec 'g726' is not supported"];
  api.set('GET /streams/d1', { body: buildStream({ notes, transport: 'udp', lost_packets: 12, clock_rate: 0.843 }) });
  show();
  expect(await screen.findByText("Without sound: its codec 'g726' is not supported.")).toBeInTheDocument();
  expect(screen.getByText('84.3 %')).toBeInTheDocument();
  expect(screen.getByText('12')).toBeInTheDocument();
});
