// The list of cameras: contents, filters and actions.
import { notifications } from '@mantine/notifications';
import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { buildDevice, buildStream } from '../../test/factories';
import { buildRecording } from '../../test/recordingFactories';
import { renderAt } from '../../test/render';
import { StubApi } from '../../test/StubApi';
import { DevicesPage } from './DevicesPage';

let api: StubApi;

function show(address = '/') {
  return renderAt(address, [{ path: '/', element: <DevicesPage /> }]);
}

beforeEach(() => {
  api = new StubApi({
    'GET /devices': { body: [buildDevice()], headers: { 'X-Pagination': '{"total": 1, "total_pages": 1}' } },
    'GET /streams': { body: [buildStream()] },
    'POST /rtsp/streams/d1/stop': { status: 202, body: buildStream({ desired: 'stopped', observed: 'stopping' }) },
    'DELETE /devices/d1': { status: 204 },
    'DELETE /devices/deleted/d9': { status: 204 },
    'GET /devices/deleted': { body: [] },
    'POST /devices/d1/restore': { body: buildDevice() },
    'POST /devices/d9/restore': { body: buildDevice() },
    'GET /recordings/devices/d1': { body: buildRecording() },
    'GET /recordings/devices/d1/protections': { body: [] },
  });
});

afterEach(() => {
  notifications.clean();
  vi.unstubAllGlobals();
});

test('a running camera shows its state as text and its live statistics', async () => {
  show();
  const row = await screen.findByTestId('device-row');
  await waitFor(() => expect(row).toHaveTextContent('4.0 Mbit/s'));
  expect(row).toHaveTextContent('Running');
  expect(row).toHaveTextContent('1920 × 1080');
  expect(within(row).getByRole('link', { name: 'Main gate' })).toHaveAttribute('href', '/devices/d1');
});

test('a camera that is not running shows the reason and the remedy', async () => {
  const reason = { code: 'unauthorized', message: 'the camera refused the password', remedy: 'correct it under Edit' };
  api.set('GET /streams', { body: [buildStream({ observed: 'failed', reason })] });
  show();
  expect(await screen.findByText('The camera refused the password. Correct it under Edit.')).toBeInTheDocument();
});

test('without cameras the page shows how to add one', async () => {
  api.set('GET /devices', { body: [], headers: { 'X-Pagination': '{"total": 0}' } });
  show();
  expect(await screen.findByText('Add your first camera')).toBeInTheDocument();
  expect(screen.getByRole('link', { name: 'Add camera' })).toHaveAttribute('href', '/devices/new');
});

test('filters that match nothing can be cleared', async () => {
  api.set('GET /devices', (request) =>
    request.query.get('q') ? { body: [], headers: { 'X-Pagination': '{"total": 0}' } } : { body: [buildDevice()] },
  );
  show('/?q=zebra');
  await userEvent.click(await screen.findByRole('button', { name: 'Show all cameras' }));
  expect(await screen.findByTestId('device-row')).toBeInTheDocument();
});

test('a failure is shown and can be retried', async () => {
  api.set('GET /devices', { status: 503, body: { message: 'the database is away' } });
  show();
  expect(await screen.findByText(/The database is away/)).toBeInTheDocument();
  api.set('GET /devices', { body: [buildDevice()] });
  await userEvent.click(screen.getByRole('button', { name: 'Try now' }));
  expect(await screen.findByTestId('device-row')).toBeInTheDocument();
});

test('stop asks the server to stop this camera', async () => {
  show();
  await userEvent.click(await screen.findByRole('button', { name: 'Stop Main gate' }));
  await waitFor(() => expect(api.all('POST /rtsp/streams/d1/stop')).toHaveLength(1));
});

test('delete asks for confirmation with the camera’s name', async () => {
  show();
  await userEvent.click(await screen.findByRole('button', { name: 'More actions for Main gate' }));
  await userEvent.click(await screen.findByRole('menuitem', { name: /Delete/ }));
  const dialog = await screen.findByRole('dialog');
  expect(dialog).toHaveTextContent('Main gate');
  await waitFor(() => expect(dialog).toHaveTextContent('146 GB of footage'));
  expect(dialog).toHaveTextContent('within 13 days');
  expect(dialog).toHaveTextContent('For 24 h it can be restored');
  expect(api.all('DELETE /devices/d1')).toHaveLength(0);
  await userEvent.click(within(dialog).getByRole('button', { name: 'Delete camera' }));
  await waitFor(() => expect(api.all('DELETE /devices/d1')).toHaveLength(1));
  await userEvent.click(await screen.findByRole('button', { name: 'Undo' }));
  await waitFor(() => expect(api.all('POST /devices/d1/restore')).toHaveLength(1));
});

const openDelete = async () => {
  show();
  await userEvent.click(await screen.findByRole('button', { name: 'More actions for Main gate' }));
  await userEvent.click(await screen.findByRole('menuitem', { name: /Delete/ }));
  return screen.findByRole('dialog');
};

test('protected footage is deleted only after the name was typed', async () => {
  const hold = { id: 1, start: '2026-11-12T00:00:00Z', end: '2026-11-12T01:00:00Z', kind: 'hold', note: 'evidence' };
  api.set('GET /recordings/devices/d1/protections', { body: [hold] });
  const dialog = await openDelete();
  await waitFor(() => expect(dialog).toHaveTextContent('1 protected range is deleted as well'));
  expect(dialog).toHaveTextContent('evidence');
  const confirm = within(dialog).getByRole('button', { name: 'Delete camera' });
  expect(confirm).toBeDisabled();
  await userEvent.type(within(dialog).getByLabelText(/Type the name/), 'Main{Enter}');
  expect(api.all('DELETE /devices/d1')).toHaveLength(0);
  await userEvent.type(within(dialog).getByLabelText(/Type the name/), ' gate');
  await userEvent.click(confirm);
  await waitFor(() => expect(api.all('DELETE /devices/d1')).toHaveLength(1));
});

test('footage that cannot be counted counts as protected', async () => {
  api.set('GET /recordings/devices/d1', { status: 503, body: { message: 'the database is away' } });
  const dialog = await openDelete();
  await within(dialog).findByLabelText(/Type the name/);
  expect(within(dialog).getByRole('button', { name: 'Delete camera' })).toBeDisabled();
});

test('the bin lists deleted cameras, restores them and removes them for good', async () => {
  const deleted = {
    id: 'd9',
    name: 'Old gate',
    deleted_at: new Date().toISOString(),
    deleted_by: 'x',
    until: new Date(Date.now() + 3_600_000).toISOString(),
    bytes: 2_000_000_000,
  };
  api.set('GET /devices/deleted', { body: [deleted] });
  show();
  await userEvent.click(await screen.findByRole('button', { name: '1 deleted camera can be restored' }));
  const bin = screen.getByRole('region', { name: 'Deleted cameras' });
  expect(bin).toHaveTextContent('Old gate');
  expect(bin).toHaveTextContent('2.0 GB of footage');
  await userEvent.click(within(bin).getByRole('button', { name: 'Restore' }));
  await waitFor(() => expect(api.all('POST /devices/d9/restore')).toHaveLength(1));
  await userEvent.click(within(bin).getByRole('button', { name: /Remove for good/ }));
  await userEvent.click(within(await screen.findByRole('dialog')).getByRole('button', { name: 'Remove for good' }));
  await waitFor(() => expect(api.all('DELETE /devices/deleted/d9')).toHaveLength(1));
});

test('a stop says that recording stops, and can be undone', async () => {
  api.set('POST /rtsp/streams/d1/start', { status: 202, body: buildStream() });
  show();
  await userEvent.click(await screen.findByRole('button', { name: 'Stop Main gate' }));
  expect(await screen.findByText('“Main gate” was stopped, and its recording with it.')).toBeInTheDocument();
  await userEvent.click(screen.getByRole('button', { name: 'Undo' }));
  await waitFor(() => expect(api.all('POST /rtsp/streams/d1/start')).toHaveLength(1));
});

test('a camera that went is not shown as recording', async () => {
  api.set('GET /streams', { body: [buildStream({ observed: 'reconnecting' })] });
  show();
  expect(await screen.findByRole('img', { name: 'Interrupted' })).toBeInTheDocument();
  expect(screen.queryByRole('img', { name: 'Recording' })).not.toBeInTheDocument();
});

test('sorting by state is requested from the server and kept in the address', async () => {
  const router = show();
  await screen.findByTestId('device-row');
  await userEvent.click(screen.getByRole('button', { name: 'State' }));
  await waitFor(() => expect(api.all('GET /devices').at(-1)?.query.get('sort')).toBe('state'));
  expect(router.state.location.search).toBe('?sort=state');
});
