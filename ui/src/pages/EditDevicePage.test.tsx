// Editing a camera: no change is lost, and errors are shown at their fields.
import { screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { buildDevice } from '../../test/factories';
import { renderAt } from '../../test/render';
import { StubApi } from '../../test/StubApi';
import { EditDevicePage } from './EditDevicePage';

let api: StubApi;

beforeEach(() => {
  api = new StubApi({
    'GET /devices': { body: [] },
    'GET /devices/d1': { body: buildDevice(), headers: { ETag: '"1"' } },
    'PUT /devices/d1': { body: buildDevice() },
  });
  renderAt('/devices/d1/edit', [{ path: '/devices/:id/edit', element: <EditDevicePage /> }]);
});

afterEach(() => vi.unstubAllGlobals());

const save = async () => userEvent.click(await screen.findByRole('button', { name: 'Save' }));
const puts = () => api.all('PUT /devices/d1');

test('an unchanged address is sent back as it was, with the version that was read', async () => {
  await save();
  await waitFor(() => expect(puts()).toHaveLength(1));
  expect(puts()[0]?.headers.get('If-Match')).toBe('"1"');
  expect(puts()[0]?.body).toMatchObject({
    source_url: 'rtsp://***@10.0.0.1/main',
    sub_source_url: null,
    name: 'Main gate',
  });
});

test("the server's errors are shown at their fields", async () => {
  api.set('PUT /devices/d1', {
    status: 422,
    body: { message: 'not valid', errors: { json: { name: ["'name' is taken by another device"] } } },
  });
  await save();
  expect(await screen.findByText('The name is taken by another device.')).toBeInTheDocument();
  expect(screen.getByLabelText(/^Name/)).toHaveAttribute('aria-invalid', 'true');
});

test('an error that names its field only in its message is shown at the field too', async () => {
  api.set('PUT /devices/d1', {
    status: 422,
    body: { message: "'source_url' needs the password again: it has changed", errors: {} },
  });
  await save();
  expect(await screen.findByText('The address needs the password again: it has changed.')).toBeInTheDocument();
  expect(screen.getByLabelText(/^RTSP address/)).toHaveAttribute('aria-invalid', 'true');
});

test('an address is validated when the focus moves to a field, but not when it moves to a button', async () => {
  const address = await screen.findByLabelText(/^RTSP address/);
  await userEvent.clear(address);
  await userEvent.type(address, '//10.0.0.1');
  await userEvent.click(screen.getByRole('button', { name: 'Test' }));
  await userEvent.type(address, '/a');
  expect(screen.queryByText(/must begin with rtsp/)).not.toBeInTheDocument();
  await userEvent.click(screen.getByLabelText(/^Name/));
  expect(await screen.findByText(/must begin with rtsp/)).toBeInTheDocument();
  expect(puts()).toHaveLength(0);
});

test('a concurrent change is reported and can be overwritten', async () => {
  api.set('PUT /devices/d1', (request) =>
    request.headers.has('If-Match') ? { status: 412, body: { message: 'changed' } } : { body: buildDevice() },
  );
  await save();
  expect(await screen.findByText('This camera was changed in the meantime')).toBeInTheDocument();
  await userEvent.click(screen.getByRole('button', { name: 'Overwrite with mine' }));
  await waitFor(() => expect(puts()).toHaveLength(2));
  expect(puts()[1]?.headers.has('If-Match')).toBe(false);
});

test('a concurrent change can be loaded instead', async () => {
  api.set('PUT /devices/d1', { status: 412, body: { message: 'changed' } });
  await save();
  api.set('GET /devices/d1', { body: buildDevice({ name: 'Their name' }), headers: { ETag: '"2"' } });
  await userEvent.click(await screen.findByRole('button', { name: 'Show their version' }));
  expect(await screen.findByDisplayValue('Their name')).toBeInTheDocument();
});

test('a test of an address with a hidden password names the device', async () => {
  api.set('POST /devices/probe', {
    body: {
      reachable: false,
      reason: { code: 'refused', message: 'nothing listens on port 554', remedy: null },
      elapsed_ms: 9,
      time_to_first_frame_ms: null,
      video: null,
      audio: null,
      tracks: [],
      advice: [],
    },
  });
  await userEvent.click(await screen.findByRole('button', { name: 'Test' }));
  expect(await screen.findByText(/Nothing listens on port 554/)).toBeInTheDocument();
  expect(api.all('POST /devices/probe')[0]?.body).toEqual({
    source_url: 'rtsp://***@10.0.0.1/main',
    transport: 'tcp',
    tls_trust: 'verify',
    tls_fingerprint: null,
    device_id: 'd1',
  });
});

const PRINT = '3f'.repeat(32);
const UNTRUSTED = {
  reachable: false,
  reason: { code: 'tls_untrusted', message: 'the certificate is not signed', remedy: 'trust it' },
  elapsed_ms: 90,
  time_to_first_frame_ms: null,
  video: null,
  audio: null,
  tracks: [],
  advice: [],
  tls: { fingerprint: PRINT, subject: 'CN=camera', issuer: 'CN=camera', expires: '2035-02-28T12:00:00Z' },
};

test('the certificate that the camera shows is trusted by a press, and sent with the device', async () => {
  api.set('POST /devices/probe', { body: UNTRUSTED });
  expect(await screen.findByLabelText(/^RTSP address/)).toBeInTheDocument();
  expect(screen.queryByText('Trusted certificate')).not.toBeInTheDocument();
  await userEvent.clear(screen.getByLabelText(/^RTSP address/));
  await userEvent.type(screen.getByLabelText(/^RTSP address/), 'rtsps://me:p@10.0.0.1/main');
  await userEvent.click(screen.getByLabelText(/^Name/));
  expect(screen.getByText('Trusted certificate')).toBeInTheDocument();
  await userEvent.click(screen.getByRole('button', { name: 'Test' }));
  await userEvent.click(await screen.findByRole('button', { name: /^Trust the certificate/ }));
  expect(screen.getByLabelText(/SHA-256 fingerprint/)).toHaveValue(PRINT);
  await save();
  await waitFor(() => expect(puts()).toHaveLength(1));
  expect(puts()[0]?.body).toMatchObject({
    source_url: 'rtsps://me:p@10.0.0.1/main',
    tls_trust: 'pinned',
    tls_fingerprint: PRINT,
  });
});

test('a test of a paused login is repeated only when a person says so', async () => {
  const reason = {
    code: 'login_paused',
    message: 'the next try is at 2026-03-01T10:00:00Z',
    remedy: 'edit the device',
  };
  api.set('POST /devices/probe', { body: { ...UNTRUSTED, tls: null, reason } });
  await userEvent.click(await screen.findByRole('button', { name: 'Test' }));
  await userEvent.click(await screen.findByRole('button', { name: 'Try now' }));
  await waitFor(() => expect(api.all('POST /devices/probe')).toHaveLength(2));
  const bodies = api.all('POST /devices/probe').map(({ body }) => (body as { try_now?: boolean }).try_now);
  expect(bodies).toEqual([undefined, true]);
});
