// Manual control of a recording: start, stop, resume, and events.
import { screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { buildRecording } from '../../test/recordingFactories';
import { renderAt } from '../../test/render';
import { StubApi } from '../../test/StubApi';
import { RecordingPanel } from './RecordingPanel';

let api: StubApi;
const PATH = '/recordings/devices/d1';
const stopped = buildRecording({
  is_wanted: false,
  observed: 'off',
  override: { wish: 'off', by: 'operator', at: '2026-11-22T10:00:00Z', until: null },
});

beforeEach(() => {
  api = new StubApi({
    [`GET ${PATH}`]: { body: buildRecording() },
    [`POST ${PATH}/stop`]: { status: 202, body: stopped },
    [`POST ${PATH}/start`]: { status: 202, body: buildRecording() },
    [`POST ${PATH}/resume`]: { status: 202, body: buildRecording() },
    [`POST ${PATH}/events`]: {
      status: 201,
      body: { id: 1, at: '2026-11-22T10:00:00Z', end: null, label: 'x', note: null, source: 'api' },
    },
  });
  renderAt('/', [{ path: '/', element: <RecordingPanel deviceId="d1" stream={undefined} /> }]);
});
afterEach(() => vi.unstubAllGlobals());

test('a recording is stopped for a limited time', async () => {
  await userEvent.click(await screen.findByRole('button', { name: 'Stop recording' }));
  await userEvent.click(await screen.findByRole('menuitem', { name: 'For 1 hour' }));
  await waitFor(() => expect(api.all(`POST ${PATH}/stop`)).toHaveLength(1));
  const { until } = api.all(`POST ${PATH}/stop`)[0]?.body as { until: string };
  expect(Math.abs(Date.parse(until) - Date.now() - 3_600_000)).toBeLessThan(60_000);
});

test('a stopped recording shows who stopped it, and is set back to automatic', async () => {
  api.set(`GET ${PATH}`, { body: stopped });
  await userEvent.click(await screen.findByRole('button', { name: 'Stop recording' }));
  await userEvent.click(await screen.findByRole('menuitem', { name: 'Until started again' }));
  expect(await screen.findByText('Stopped by operator.')).toBeInTheDocument();
  expect(screen.getByRole('button', { name: 'Record now' })).toBeInTheDocument();
  await userEvent.click(screen.getByRole('button', { name: 'Back to automatic' }));
  await waitFor(() => expect(api.all(`POST ${PATH}/resume`)).toHaveLength(1));
});

test('a refusal is shown as a sentence', async () => {
  api.set(`POST ${PATH}/stop`, { status: 409, body: { message: "device 'Main gate' is disabled: enable it first" } });
  await userEvent.click(await screen.findByRole('button', { name: 'Stop recording' }));
  await userEvent.click(await screen.findByRole('menuitem', { name: 'For 15 minutes' }));
  expect(await screen.findByText("Device 'Main gate' is disabled: enable it first.")).toBeInTheDocument();
});

test('an event needs a name, and errors are shown at their fields', async () => {
  await userEvent.click(await screen.findByRole('button', { name: 'Mark event' }));
  await screen.findByRole('dialog');
  await userEvent.click((await screen.findAllByRole('button', { name: 'Mark event' })).at(-1)!);
  expect(await screen.findByText('Enter a name')).toBeInTheDocument();
  api.set(`POST ${PATH}/events`, {
    status: 422,
    body: { message: 'not valid', errors: { json: { label: ["'label' is too long"] } } },
  });
  await userEvent.type(screen.getByLabelText(/^Name/), 'Delivery');
  await userEvent.click(screen.getAllByRole('button', { name: 'Mark event' }).at(-1)!);
  expect(await screen.findByText("'label' is too long.")).toBeInTheDocument();
  expect(api.all(`POST ${PATH}/events`)[0]?.body).toEqual({ label: 'Delivery', duration_seconds: 0 });
});
