// The page of bookmarks: filters, playback in place, edits, delete with undo, and failed clips.
import { notifications } from '@mantine/notifications';
import { fireEvent, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { buildBookmark, buildClip } from '../../test/bookmarkFactories';
import { buildDevice } from '../../test/factories';
import { renderAt } from '../../test/render';
import { StubApi } from '../../test/StubApi';
import { ownTimeZone, wallAt } from '../formatting/timeZone';
import { formatMoment } from '../formatting/zonedTimes';
import { BookmarksPage } from './BookmarksPage';

let api: StubApi;
const listed = (items: unknown[]) => ({
  body: items,
  headers: { 'X-Pagination': JSON.stringify({ total: items.length, total_pages: 1 }) },
});
const show = (address = '/bookmarks') => renderAt(address, [{ path: '/bookmarks', element: <BookmarksPage /> }]);
const chooseFromMenu = async (item: string) => {
  await userEvent.click(await screen.findByRole('button', { name: 'More actions for Delivery' }));
  await userEvent.click(await screen.findByRole('menuitem', { name: item }));
};

beforeEach(() => {
  api = new StubApi({
    'GET /bookmarks': listed([buildBookmark()]),
    'GET /bookmarks/b1': { body: buildBookmark(), headers: { ETag: '"3"' } },
    'PUT /bookmarks/b1': { body: buildBookmark({ title: 'Parcel' }) },
    'DELETE /bookmarks/b1': { status: 204 },
    'POST /bookmarks/b1/restore': { body: buildBookmark() },
    'POST /bookmarks/b1/clip': { status: 202, body: buildBookmark() },
    'GET /devices': listed([buildDevice()]),
  });
});
afterEach(() => {
  notifications.clean();
  vi.unstubAllGlobals();
});

test('a bookmark shows title, camera and time, and links to the recording at its moment', async () => {
  show();
  const card = await screen.findByTestId('bookmark-card');
  expect(card).toHaveTextContent('left at the gate');
  expect(card).toHaveTextContent('parcel');
  expect(within(card).getByRole('link', { name: 'Main gate' })).toHaveAttribute(
    'href',
    '/devices/d1?t=2026-03-01T12%3A00%3A00.000Z',
  );
});

test('a clip plays in its card', async () => {
  show();
  await userEvent.click(await screen.findByRole('button', { name: /^Play Delivery/ }));
  expect(screen.getByTestId('bookmark-video')).toHaveAttribute(
    'src',
    expect.stringMatching(/^\/api\/v1\/bookmarks\/b1\/clip\.mp4#/),
  );
});

test('a clip in progress shows its progress', async () => {
  api.set(
    'GET /bookmarks',
    listed([buildBookmark({ clip: buildClip({ state: 'pending', progress: 0.42, url: null }) })]),
  );
  show();
  expect(await screen.findByRole('progressbar', { name: /Clip progress/ })).toHaveAttribute('aria-valuenow', '42');
  expect(screen.queryByRole('button', { name: /^Play Delivery/ })).not.toBeInTheDocument();
});

test('a failed clip shows its reason and can be retried', async () => {
  const reason = { code: 'disk_full', message: 'the disk is full', remedy: 'free some space' };
  api.set(
    'GET /bookmarks',
    listed([buildBookmark({ clip: buildClip({ state: 'failed', reason, url: null }), poster_url: null })]),
  );
  show();
  expect(await screen.findByText('Clip failed. The disk is full. Free some space.')).toBeInTheDocument();
  await userEvent.click(screen.getByRole('button', { name: 'Try again' }));
  await waitFor(() => expect(api.all('POST /bookmarks/b1/clip')).toHaveLength(1));
});

test('a deletion can be undone', async () => {
  show();
  await chooseFromMenu('Delete');
  await waitFor(() => expect(api.all('DELETE /bookmarks/b1')).toHaveLength(1));
  await userEvent.click(await screen.findByRole('button', { name: 'Undo' }));
  await waitFor(() => expect(api.all('POST /bookmarks/b1/restore')).toHaveLength(1));
});

test('an edit sends all fields, with the version that was read', async () => {
  show();
  await chooseFromMenu('Edit…');
  const title = await screen.findByLabelText('Title');
  await userEvent.clear(title);
  await userEvent.type(title, 'Parcel');
  await userEvent.click(screen.getByRole('button', { name: 'Save' }));
  await waitFor(() => expect(api.all('PUT /bookmarks/b1')).toHaveLength(1));
  const [asked] = api.all('PUT /bookmarks/b1');
  expect(asked?.headers.get('If-Match')).toBe('"3"');
  expect(asked?.body).toEqual({
    title: 'Parcel',
    note: 'left at the gate',
    tags: ['parcel'],
    at: '2026-03-01T12:00:00Z',
    before_seconds: 5,
    after_seconds: 5,
  });
});

test('a change by somebody else is not overwritten unasked', async () => {
  api.set('PUT /bookmarks/b1', ({ headers }) =>
    headers.get('If-Match') ? { status: 412, body: { message: 'it has changed' } } : { body: buildBookmark() },
  );
  show();
  await chooseFromMenu('Edit…');
  await userEvent.type(await screen.findByLabelText('Title'), '!');
  await userEvent.click(screen.getByRole('button', { name: 'Save' }));
  expect(await screen.findByText('This bookmark was changed in the meantime')).toBeInTheDocument();
  await userEvent.click(screen.getByRole('button', { name: 'Overwrite with mine' }));
  await waitFor(() => expect(api.all('PUT /bookmarks/b1')).toHaveLength(2));
});

test('the moment can be changed, to the second', async () => {
  show();
  await chooseFromMenu('Edit…');
  const wall = new Date(wallAt(ownTimeZone(), Date.parse('2026-03-01T11:58:30Z'))).toISOString();
  fireEvent.change(await screen.findByLabelText('Date'), { target: { value: wall.slice(0, 10) } });
  fireEvent.change(screen.getByLabelText('Time'), { target: { value: wall.slice(11, 19) } });
  expect(screen.getByText(/Saving recreates the clip/)).toBeInTheDocument();
  await userEvent.click(screen.getByRole('button', { name: 'Save' }));
  await waitFor(() =>
    expect(api.all('PUT /bookmarks/b1')[0]?.body).toMatchObject({ title: 'Delivery', at: '2026-03-01T11:58:30.000Z' }),
  );
});

test('a moment in the future, or none, is not sent', async () => {
  show();
  await chooseFromMenu('Edit…');
  fireEvent.change(await screen.findByLabelText('Date'), { target: { value: '2999-01-01' } });
  await userEvent.click(screen.getByRole('button', { name: 'Save' }));
  expect(await screen.findByText('This time is in the future')).toBeInTheDocument();
  fireEvent.change(screen.getByLabelText('Date'), { target: { value: '' } });
  await userEvent.click(screen.getByRole('button', { name: 'Save' }));
  expect(await screen.findByText('Enter a date and a time')).toBeInTheDocument();
  expect(api.all('PUT /bookmarks/b1')).toHaveLength(0);
});

test('without footage at the new moment, the nearest footage is offered', async () => {
  const nearest = '2026-03-01T11:30:05.250Z';
  api.set('PUT /bookmarks/b1', ({ body }) =>
    (body as { at: string }).at === nearest
      ? { body: buildBookmark() }
      : {
          status: 404,
          body: {
            message: `there is no footage for a clip: the nearest before it is at ${nearest}`,
            reason: 'no_footage',
            errors: { nearest_before: nearest, nearest_after: null },
          },
        },
  );
  show();
  await chooseFromMenu('Edit…');
  fireEvent.change(await screen.findByLabelText('Time'), { target: { value: '00:00:00' } });
  await userEvent.click(screen.getByRole('button', { name: 'Save' }));
  await userEvent.click(await screen.findByRole('button', { name: formatMoment(ownTimeZone(), Date.parse(nearest)) }));
  await userEvent.click(screen.getByRole('button', { name: 'Save' }));
  await waitFor(() => expect(api.all('PUT /bookmarks/b1').at(-1)?.body).toMatchObject({ at: nearest }));
});

test('every tag in use is a choice of the filter, however many there are', async () => {
  const tags = Array.from({ length: 201 }, (_, number) => ({
    tag: `tag ${String(number).padStart(3, '0')}`,
    count: 1,
  }));
  api.set('GET /bookmarks/tags', ({ query }) => ({
    body: query.get('page') === '1' ? tags.slice(1) : tags.slice(0, 1),
    headers: { 'X-Pagination': JSON.stringify({ total: tags.length, total_pages: 2 }) },
  }));
  show();
  await userEvent.type(await screen.findByRole('combobox', { name: 'Filter by tag' }), 'tag 000');
  await userEvent.click(await screen.findByRole('option', { name: 'tag 000' }));
  await waitFor(() => expect(api.all('GET /bookmarks').at(-1)?.query.get('tag')).toBe('tag 000'));
});

test('missing footage for a longer clip is shown as an error', async () => {
  api.set('PUT /bookmarks/b1', {
    status: 404,
    body: { message: 'there is no footage of this time', reason: 'no_footage' },
  });
  show();
  await chooseFromMenu('Edit…');
  const before = await screen.findByLabelText('Seconds before');
  await userEvent.clear(before);
  await userEvent.type(before, '60');
  expect(screen.getByText(/Saving recreates the clip/)).toBeInTheDocument();
  await userEvent.click(screen.getByRole('button', { name: 'Save' }));
  expect(await screen.findByText(/There is no footage of this time\./)).toBeInTheDocument();
});

test('filters are kept in the address and sent to the server', async () => {
  show('/bookmarks?q=van&device=d1&tag=parcel&from=2026-03-01&to=2026-03-01&order=oldest&page=2&bookmark=');
  await screen.findByTestId('bookmark-card');
  const query = api.all('GET /bookmarks').find(({ query: asked }) => asked.get('q') === 'van')?.query;
  expect(Object.fromEntries(query ?? [])).toMatchObject({ page: '2', device_id: 'd1', tag: 'parcel', order: 'oldest' });
  expect(Date.parse(query?.get('end') ?? '') - Date.parse(query?.get('start') ?? '')).toBe(86_400_000);
});

test('a link opens one bookmark with the details of its clip', async () => {
  api.set('GET /bookmarks/b1', {
    body: buildBookmark({ clip: buildClip({ notes: ['only 3.2 s were held before the moment'] }) }),
  });
  const router = show('/bookmarks?bookmark=b1');
  expect(await screen.findByText('Only 3.2 s were held before the moment.')).toBeInTheDocument();
  expect(screen.getByRole('link', { name: 'Download' })).toHaveAttribute(
    'href',
    '/api/v1/bookmarks/b1/clip.mp4?download=1',
  );
  await userEvent.keyboard('{Escape}');
  await waitFor(() => expect(router.state.location.search).toBe(''));
});

test('a link to a deleted bookmark shows that it was not found', async () => {
  api.set('GET /bookmarks/b9', { status: 404, body: { message: "there is no bookmark 'b9'" } });
  show('/bookmarks?bookmark=b9');
  expect(await screen.findByText('Bookmark not found')).toBeInTheDocument();
});

test('an empty list shows how to create a bookmark; a search without results can be cleared', async () => {
  api.set('GET /bookmarks', ({ query }) => listed(query.get('q') ? [] : [buildBookmark()]));
  show('/bookmarks?q=zebra');
  await userEvent.click(await screen.findByRole('button', { name: 'Show all bookmarks' }));
  expect(await screen.findByTestId('bookmark-card')).toBeInTheDocument();
  api.set('GET /bookmarks', listed([]));
  show();
  expect(await screen.findByText('No bookmarks yet')).toBeInTheDocument();
});
