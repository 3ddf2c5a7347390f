// A bookmark is created when the key is pressed, not when its title is saved.
import { notifications } from '@mantine/notifications';
import { screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { buildBookmark, buildClip } from '../../test/bookmarkFactories';
import { renderAt } from '../../test/render';
import { StubApi } from '../../test/StubApi';
import { BookmarkButton } from './BookmarkButton';

let api: StubApi;
const fresh = buildBookmark({
  title: 'Bookmark',
  note: '',
  tags: [],
  clip: buildClip({ state: 'pending', progress: 0, url: null }),
});
const show = (momentMs: number | null = null, behindSeconds: number | null = null) =>
  renderAt('/', [
    {
      path: '/',
      element: <BookmarkButton deviceId="d1" timeZone="UTC" momentOf={() => momentMs} behindSeconds={behindSeconds} />,
    },
  ]);

beforeEach(() => {
  localStorage.clear();
  api = new StubApi({
    'GET /bookmarks': { body: [] },
    'POST /bookmarks': { status: 201, body: fresh, headers: { ETag: '"1"' } },
    'PUT /bookmarks/b1': { body: buildBookmark({ title: 'Van' }) },
    'DELETE /bookmarks/b1': { status: 204 },
  });
});
afterEach(() => {
  notifications.clean();
  vi.unstubAllGlobals();
});

test('a live bookmark has the current time of the server’s clock and is created before a title is typed', async () => {
  show();
  await userEvent.keyboard('b');
  await screen.findByText(/^Saved:/);
  expect(api.all('POST /bookmarks')[0]?.body).toEqual({
    device_id: 'd1',
    at: null,
    title: 'Bookmark',
    note: '',
    tags: [],
    before_seconds: 5,
    after_seconds: 5,
  });
  expect(api.all('POST /bookmarks')[0]?.headers.get('Idempotency-Key')).toMatch(/^[0-9a-f]{32}$/);
});

test('a bookmark in a recording has the moment on the screen', async () => {
  show(Date.parse('2026-03-01T12:00:00Z'));
  await userEvent.click(screen.getByRole('button', { name: 'Bookmark' }));
  await screen.findByText(/^Saved:/);
  expect(api.all('POST /bookmarks')[0]?.body).toMatchObject({ at: '2026-03-01T12:00:00.000Z' });
});

test('the delay of a live picture over HLS is subtracted from the moment of the bookmark', async () => {
  show(null, 6);
  await userEvent.keyboard('b');
  await screen.findByText(/^Saved:/);
  const { at } = api.all('POST /bookmarks')[0]?.body as { at: string };
  expect(Math.abs(Date.now() - 6_000 - Date.parse(at))).toBeLessThan(5_000);
});

test('what is typed replaces the first title', async () => {
  show();
  await userEvent.keyboard('b');
  await screen.findByText(/^Saved:/);
  screen.getByLabelText('Title').blur();
  screen.getByLabelText('Title').focus();
  await userEvent.keyboard('A boat comes in');
  expect(screen.getByLabelText('Title')).toHaveValue('A boat comes in');
});

test('the title is saved afterwards, and changed lengths are remembered for the next bookmark', async () => {
  show();
  await userEvent.keyboard('b');
  await screen.findByText(/^Saved:/);
  await userEvent.clear(screen.getByLabelText('Title'));
  await userEvent.type(screen.getByLabelText('Title'), 'Van');
  await userEvent.clear(screen.getByLabelText('Seconds after'));
  await userEvent.type(screen.getByLabelText('Seconds after'), '20');
  await userEvent.click(screen.getByRole('button', { name: 'Save' }));
  expect(await screen.findByText(/Bookmarked: “Van”/)).toBeInTheDocument();
  expect(api.all('PUT /bookmarks/b1')[0]?.body).toMatchObject({
    title: 'Van',
    before_seconds: 5,
    after_seconds: 20,
    at: fresh.at,
  });
  expect(api.all('PUT /bookmarks/b1')[0]?.headers.get('If-Match')).toBe('"1"');
  await userEvent.keyboard('b');
  await waitFor(() => expect(api.all('POST /bookmarks')).toHaveLength(2));
  expect(api.all('POST /bookmarks')[1]?.body).toMatchObject({ after_seconds: 20 });
});

test('closing the dialog keeps the bookmark, discarding deletes it', async () => {
  show();
  await userEvent.keyboard('b');
  await screen.findByText(/^Saved:/);
  await userEvent.keyboard('{Escape}');
  expect(await screen.findByText(/Bookmarked: “Bookmark”/)).toBeInTheDocument();
  expect(api.all('DELETE /bookmarks/b1')).toHaveLength(0);
  await userEvent.keyboard('b');
  await screen.findByText(/^Saved:/);
  await userEvent.click(screen.getByRole('button', { name: 'Discard' }));
  await waitFor(() => expect(api.all('DELETE /bookmarks/b1')).toHaveLength(1));
  expect(api.all('PUT /bookmarks/b1')).toHaveLength(0);
});

test('a failed bookmark shows the reason', async () => {
  api.set('POST /bookmarks', {
    status: 404,
    body: { message: 'there is no footage of this time', reason: 'no_footage' },
  });
  show();
  await userEvent.keyboard('b');
  expect(await screen.findByText('No bookmark was created')).toBeInTheDocument();
  expect(screen.getByRole('alert')).toHaveTextContent('There is no footage of this time.');
});

test('a title that the server rejects is reported at its field; the bookmark stays', async () => {
  api.set('PUT /bookmarks/b1', {
    status: 422,
    body: { message: 'not valid', errors: { json: { title: ["'title' must have at most 200 characters"] } } },
  });
  show();
  await userEvent.keyboard('b');
  await screen.findByText(/^Saved:/);
  await userEvent.type(screen.getByLabelText('Title'), 'x');
  await userEvent.click(screen.getByRole('button', { name: 'Save' }));
  expect(await screen.findByText('The title must have at most 200 characters.')).toBeInTheDocument();
});
