// The list of cameras: contents, filters and actions.
import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { buildDevice, buildStream } from '../../test/factories';
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
  });
});

afterEach(() => vi.unstubAllGlobals());

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
  expect(dialog).toHaveTextContent('cannot be undone');
  expect(api.all('DELETE /devices/d1')).toHaveLength(0);
  await userEvent.click(within(dialog).getByRole('button', { name: 'Delete camera' }));
  await waitFor(() => expect(api.all('DELETE /devices/d1')).toHaveLength(1));
});

test('sorting by state is requested from the server and kept in the address', async () => {
  const router = show();
  await screen.findByTestId('device-row');
  await userEvent.click(screen.getByRole('button', { name: 'State' }));
  await waitFor(() => expect(api.all('GET /devices').at(-1)?.query.get('sort')).toBe('state'));
  expect(router.state.location.search).toBe('?sort=state');
});
