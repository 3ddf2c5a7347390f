// A camera's schedules and time-lapses: shown, added, disabled, deleted after a confirmation; jobs with their progress.
import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { buildSchedule } from '../../test/bookmarkFactories';
import { buildDevice } from '../../test/factories';
import { buildJob } from '../../test/jobFactories';
import { buildRecording } from '../../test/recordingFactories';
import { renderAt } from '../../test/render';
import { StubApi } from '../../test/StubApi';
import { DeviceSnapshotsPage } from './DeviceSnapshotsPage';

let api: StubApi;
const show = () =>
  renderAt('/devices/d1/snapshots', [{ path: '/devices/:id/snapshots', element: <DeviceSnapshotsPage /> }]);

beforeEach(() => {
  api = new StubApi({
    'GET /devices/d1': { body: buildDevice() },
    'GET /recordings/devices/d1': { body: buildRecording() },
    'GET /snapshots/schedules': { body: [buildSchedule()] },
    'GET /snapshots/schedules/7': { body: buildSchedule(), headers: { ETag: '"1"' } },
    'PUT /snapshots/schedules/7': { body: buildSchedule() },
    'POST /snapshots/schedules': { status: 201, body: buildSchedule({ id: 8, name: 'Shop window' }) },
    'DELETE /snapshots/schedules/7': { status: 204 },
    'POST /snapshots/devices/d1/time-lapse': { status: 202, body: buildJob({ kind: 'time_lapse' }) },
    'GET /jobs': { body: [] },
  });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test('a schedule shows its timing, its next snapshot, and the reason if the last one failed', async () => {
  vi.setSystemTime('2026-11-22T12:00:00Z');
  const next_at = new Date(Date.now() + 250_000).toISOString();
  const reason = { code: 'no_picture', message: 'no route to the camera', remedy: 'check its power' };
  api.set('GET /snapshots/schedules', { body: [buildSchedule({ next_at, reason })] });
  show();
  const row = await screen.findByTestId('schedule-row');
  expect(row).toHaveTextContent('Every 10 minutes');
  expect(row).toHaveTextContent('In 4 min');
  expect(row).toHaveTextContent('No route to the camera. Check its power.');
});

test('a schedule is added with either an interval or times of day', async () => {
  api.set('GET /snapshots/schedules', { body: [] });
  show();
  await userEvent.click(await screen.findByRole('button', { name: 'Add schedule' }));
  const dialog = await screen.findByRole('dialog');
  await userEvent.click(within(dialog).getByRole('button', { name: 'Add schedule' }));
  expect(await screen.findByText('Enter a name')).toBeInTheDocument();
  await userEvent.type(within(dialog).getByLabelText('Name'), 'Shop window');
  await userEvent.click(within(dialog).getByRole('radio', { name: 'At times of day' }));
  await userEvent.type(within(dialog).getByPlaceholderText('08:00, 18:30'), '18.30{Enter}');
  await userEvent.click(within(dialog).getByRole('button', { name: 'Add schedule' }));
  await waitFor(() => expect(api.all('POST /snapshots/schedules')).toHaveLength(1));
  expect(api.all('POST /snapshots/schedules')[0]?.body).toEqual({
    device_id: 'd1',
    name: 'Shop window',
    enabled: true,
    every_seconds: null,
    times: ['18:30'],
    weekdays: [],
    time_zone: 'Europe/Berlin',
    tags: [],
    keep_days: 30,
    keep_count: null,
  });
});

test('a schedule is disabled with all other fields unchanged', async () => {
  show();
  await userEvent.click(await screen.findByRole('switch', { name: 'Enable Building site' }));
  await waitFor(() => expect(api.all('PUT /snapshots/schedules/7')).toHaveLength(1));
  expect(api.all('PUT /snapshots/schedules/7')[0]?.body).toMatchObject({
    enabled: false,
    every_seconds: 600,
    tags: ['site'],
    keep_days: 30,
  });
});

test('a schedule is deleted only after a confirmation', async () => {
  show();
  await userEvent.click(await screen.findByRole('button', { name: 'Delete Building site' }));
  expect(api.all('DELETE /snapshots/schedules/7')).toHaveLength(0);
  await userEvent.click(await screen.findByRole('button', { name: 'Delete schedule' }));
  await waitFor(() => expect(api.all('DELETE /snapshots/schedules/7')).toHaveLength(1));
});

test('a time-lapse is requested and its progress shown', async () => {
  show();
  await userEvent.click(await screen.findByRole('button', { name: 'Create time-lapse' }));
  expect(await screen.findByText(/1 d in 30 s/)).toBeInTheDocument();
  api.set('GET /jobs', { body: [buildJob({ kind: 'time_lapse', progress: 0.4, stage: 'reading key frames' })] });
  await userEvent.click(screen.getByRole('button', { name: 'Create' }));
  await waitFor(() => expect(api.all('POST /snapshots/devices/d1/time-lapse')).toHaveLength(1));
  expect(api.all('POST /snapshots/devices/d1/time-lapse')[0]?.body).toMatchObject({
    source: 'snapshots',
    length_seconds: 30,
    fps: 25,
    width: null,
  });
  expect(await screen.findByRole('progressbar', { name: /^Progress of the time-lapse/ })).toHaveAttribute(
    'aria-valuenow',
    '40',
  );
});

test('a time-lapse that cannot be created shows the reason', async () => {
  api.set('POST /snapshots/devices/d1/time-lapse', {
    status: 404,
    body: { message: 'nothing was recorded in this range', reason: 'no_footage' },
  });
  show();
  await userEvent.click(await screen.findByRole('button', { name: 'Create time-lapse' }));
  await userEvent.click(await screen.findByRole('button', { name: 'Create' }));
  expect(await screen.findByText(/Nothing was recorded in this range\./)).toBeInTheDocument();
});
