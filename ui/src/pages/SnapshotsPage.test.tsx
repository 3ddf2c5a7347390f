// The gallery: days, filters, the full view, and actions on one snapshot or several.
import { notifications } from '@mantine/notifications';
import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { buildDevice } from '../../test/factories';
import { renderAt } from '../../test/render';
import { buildSnapshot } from '../../test/snapshotFactories';
import { StubApi } from '../../test/StubApi';
import { dateOf, dayBounds, ownTimeZone } from '../formatting/timeZone';
import { SnapshotsPage } from './SnapshotsPage';

let api: StubApi;
const listed = (items: unknown[], more = {}) => ({
  body: items,
  headers: { 'X-Pagination': JSON.stringify({ total: items.length, total_pages: 1, page: 1, ...more }) },
});
const THREE = [
  buildSnapshot({ id: 's1', at: '2026-03-02T10:00:00Z' }),
  buildSnapshot({ id: 's2', at: '2026-03-02T09:00:00Z', device_name: 'Reception', tags: ['door'] }),
  buildSnapshot({ id: 's3', at: '2026-03-01T09:00:00Z', kind: 'scheduled' }),
];
const show = (address = '/snapshots') => renderAt(address, [{ path: '/snapshots', element: <SnapshotsPage /> }]);
const tiles = () => screen.findAllByTestId('snapshot-tile');
const openTile = async (number: number) => {
  const tile = (await tiles())[number];
  if (!tile) throw new Error(`there is no tile ${number}`);
  const [button] = within(tile).getAllByRole('button');
  if (button) await userEvent.click(button);
  return screen.findByRole('dialog');
};

beforeEach(() => {
  api = new StubApi({
    'GET /snapshots': listed(THREE),
    'GET /devices': listed([buildDevice()]),
  });
  for (const snapshot of THREE) {
    const path = `/snapshots/${snapshot.id}`;
    api.set(`GET ${path}`, { body: snapshot, headers: { ETag: '"1"' } });
    api.set(`DELETE ${path}`, { status: 204 });
    api.set(`POST ${path}/restore`, { status: 200, body: snapshot });
  }
});
afterEach(() => {
  notifications.clean();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test('snapshots are grouped by day, each with its camera and time', async () => {
  show();
  expect(await tiles()).toHaveLength(3);
  const days = screen.getAllByRole('heading', { level: 2 });
  expect(days).toHaveLength(2);
  expect(screen.getByRole('button', { name: /^Reception, / })).toBeInTheDocument();
});

test('an empty gallery shows how to take a snapshot', async () => {
  api.set('GET /snapshots', listed([]));
  show();
  expect(await screen.findByText('No snapshots yet')).toBeInTheDocument();
  expect(screen.queryByRole('search')).not.toBeInTheDocument();
});

test('filters are kept in the address, sent to the server, and can be cleared', async () => {
  vi.setSystemTime('2026-11-22T12:00:00Z');
  api.set('GET /snapshots', ({ query }) => listed(query.get('tag') ? [] : THREE));
  const router = show('/snapshots?device=d1&tag=door&kind=live&when=yesterday&order=oldest');
  await userEvent.click(await screen.findByRole('button', { name: 'Show all snapshots' }));
  const asked = api.all('GET /snapshots').find(({ query }) => query.get('tag'))?.query;
  const zone = ownTimeZone();
  const yesterday = dateOf(zone, dayBounds(zone, dateOf(zone, Date.now())).startMs - 1);
  expect(asked?.get('start')).toBe(new Date(dayBounds(zone, yesterday).startMs).toISOString());
  expect(asked?.get('end')).toBe(new Date(dayBounds(zone, yesterday).endMs).toISOString());
  expect(Object.fromEntries(asked ?? [])).toMatchObject({
    device_id: 'd1',
    tag: 'door',
    kind: 'live',
    order: 'oldest',
  });
  expect(router.state.location.search).toBe('');
  expect(await tiles()).toHaveLength(3);
});

test('a search is sent after the last keystroke', async () => {
  const router = show();
  await userEvent.type(await screen.findByLabelText('Search snapshots'), 'van');
  await waitFor(() => expect(router.state.location.search).toBe('?q=van'));
  expect(api.all('GET /snapshots').map(({ query }) => query.get('q'))).not.toContain('v');
});

test('further pages are loaded on demand, without duplicates', async () => {
  api.set('GET /snapshots', ({ query }) =>
    query.get('page') === '2'
      ? listed([THREE[1], THREE[2]], { total: 3, total_pages: 2, page: 2 })
      : listed([THREE[0], THREE[1]], { total: 3, total_pages: 2, page: 1 }),
  );
  show();
  await userEvent.click(await screen.findByRole('button', { name: 'Show more' }));
  await waitFor(() => expect(screen.getAllByTestId('snapshot-tile')).toHaveLength(3));
  expect(screen.queryByRole('button', { name: 'Show more' })).not.toBeInTheDocument();
});

test('the full view is kept in the address; arrow keys move, Escape closes it', async () => {
  const router = show();
  const dialog = await openTile(0);
  expect(router.state.location.search).toBe('?snapshot=s1');
  expect(within(dialog).getByTestId('snapshot-image')).toHaveAttribute('src', '/api/v1/snapshots/s1/image');
  expect(within(dialog).getByText('1 of 3')).toBeInTheDocument();
  await userEvent.keyboard('{ArrowRight}');
  expect(router.state.location.search).toBe('?snapshot=s2');
  expect(within(dialog).getByTestId('snapshot-image')).toHaveAttribute('src', '/api/v1/snapshots/s2/image');
  await userEvent.keyboard('{End}{ArrowRight}{ArrowLeft}');
  expect(router.state.location.search).toBe('?snapshot=s2');
  await userEvent.keyboard('{Escape}');
  await waitFor(() => expect(screen.queryByRole('dialog')).not.toBeInTheDocument());
  expect(router.state.location.search).toBe('');
});

test('an address opens a snapshot that is not in the list', async () => {
  api.set('GET /snapshots/old', {
    body: buildSnapshot({ id: 'old', device_name: 'Old dock' }),
    headers: { ETag: '"7"' },
  });
  show('/snapshots?snapshot=old');
  expect(await screen.findByRole('link', { name: 'Old dock' })).toHaveAttribute('href', '/devices/d1');
});

test('the address of a deleted snapshot shows that it was not found', async () => {
  show('/snapshots?snapshot=gone');
  expect(await screen.findByText(/Snapshot not found/)).toBeInTheDocument();
});

test('a snapshot can be downloaded as the original or as PNG, and links to the recording at its moment', async () => {
  show();
  const dialog = await openTile(0);
  expect(within(dialog).getByRole('link', { name: 'Download' })).toHaveAttribute(
    'href',
    '/api/v1/snapshots/s1/image?format=jpeg&download=1',
  );
  await userEvent.click(within(dialog).getByRole('button', { name: 'Download as' }));
  expect(await screen.findByRole('menuitem', { name: /^PNG/ })).toHaveAttribute(
    'href',
    '/api/v1/snapshots/s1/image?format=png&download=1',
  );
  expect(within(dialog).getByRole('link', { name: 'Play from here' })).toHaveAttribute(
    'href',
    '/devices/d1?t=2026-03-02T10%3A00%3A00.000Z',
  );
});

test('note and tags are saved with the version that was read', async () => {
  api.set('PUT /snapshots/s1', ({ body }) => ({
    body: { ...THREE[0], ...(body as object) },
    headers: { ETag: '"2"' },
  }));
  show();
  const dialog = await openTile(0);
  await waitFor(() => expect(within(dialog).getByLabelText('Note')).not.toHaveAttribute('readonly'));
  await userEvent.type(within(dialog).getByLabelText('Note'), 'white van');
  await userEvent.type(within(dialog).getByRole('combobox', { name: 'Tags' }), 'case{Enter}');
  await userEvent.click(within(dialog).getByRole('button', { name: 'Save' }));
  await waitFor(() => expect(within(dialog).queryByRole('button', { name: 'Save' })).not.toBeInTheDocument());
  const [saved] = api.all('PUT /snapshots/s1');
  expect(saved?.body).toEqual({ note: 'white van', tags: ['case'] });
  expect(saved?.headers.get('If-Match')).toBe('"1"');
});

test('unsaved changes are saved when moving to the next snapshot', async () => {
  api.set('PUT /snapshots/s1', ({ body }) => ({
    body: { ...THREE[0], ...(body as object) },
    headers: { ETag: '"2"' },
  }));
  show();
  const dialog = await openTile(0);
  await waitFor(() => expect(within(dialog).getByLabelText('Note')).not.toHaveAttribute('readonly'));
  await userEvent.type(within(dialog).getByLabelText('Note'), 'a cat{Escape}');
  await userEvent.keyboard('{ArrowRight}');
  await waitFor(() => expect(api.all('PUT /snapshots/s1')[0]?.body).toEqual({ note: 'a cat', tags: [] }));
});

test('a change by somebody else is not overwritten unasked', async () => {
  api.set('PUT /snapshots/s1', ({ headers }) =>
    headers.get('If-Match')
      ? { status: 412, body: { message: 'the snapshot has changed' } }
      : { body: THREE[0], headers: { ETag: '"3"' } },
  );
  show();
  const dialog = await openTile(0);
  await waitFor(() => expect(within(dialog).getByLabelText('Note')).not.toHaveAttribute('readonly'));
  await userEvent.type(within(dialog).getByLabelText('Note'), 'mine');
  await userEvent.click(within(dialog).getByRole('button', { name: 'Save' }));
  await userEvent.click(await within(dialog).findByRole('button', { name: 'Overwrite with mine' }));
  await waitFor(() => expect(api.all('PUT /snapshots/s1')).toHaveLength(2));
});

test('deleting moves to the next snapshot, and can be undone', async () => {
  const router = show();
  const dialog = await openTile(0);
  api.set('GET /snapshots', listed(THREE.slice(1)));
  await userEvent.click(within(dialog).getByRole('button', { name: 'Delete' }));
  expect(router.state.location.search).toBe('?snapshot=s2');
  expect(await screen.findByText('The snapshot was deleted.')).toBeInTheDocument();
  await waitFor(() => expect(screen.getAllByTestId('snapshot-tile')).toHaveLength(2));
  api.set('GET /snapshots', listed(THREE));
  await userEvent.click(screen.getByRole('button', { name: 'Undo' }));
  await waitFor(() => expect(api.all('POST /snapshots/s1/restore')).toHaveLength(1));
  await waitFor(() => expect(screen.getAllByTestId('snapshot-tile')).toHaveLength(3));
});

test('several snapshots are selected, a range with Shift, and deleted together', async () => {
  show();
  await tiles();
  const boxes = screen.getAllByRole('checkbox');
  const user = userEvent.setup();
  await user.click(boxes[0]!);
  // The checkbox selects; while anything is selected, a click on a picture selects too.
  await user.keyboard('{Shift>}');
  await user.click(screen.getAllByRole('button', { name: /^Select Main gate/ }).at(-1)!);
  await user.keyboard('{/Shift}');
  const bar = screen.getByRole('toolbar', { name: 'Selected snapshots' });
  expect(bar).toHaveTextContent('3 selected');
  await user.click(screen.getAllByRole('button', { name: /^Select Reception/ })[0]!);
  expect(bar).toHaveTextContent('2 selected');
  await user.click(within(bar).getByRole('button', { name: 'Delete' }));
  expect(await screen.findByText('2 snapshots were deleted.')).toBeInTheDocument();
  expect(api.all('DELETE /snapshots/s1')).toHaveLength(1);
  expect(api.all('DELETE /snapshots/s2')).toHaveLength(0);
  expect(screen.queryByRole('toolbar')).not.toBeInTheDocument();
});

test('a refused deletion shows the error and changes nothing', async () => {
  api.set('DELETE /snapshots/s1', { status: 503, body: { message: 'the database is away' } });
  show();
  const dialog = await openTile(0);
  await userEvent.click(within(dialog).getByRole('button', { name: 'Delete' }));
  expect(await screen.findByText('The snapshot was not deleted')).toBeInTheDocument();
  await waitFor(() => expect(screen.getAllByTestId('snapshot-tile')).toHaveLength(3));
});
