// The events page: filters in the address, pages by cursor, what comes later, keys, and the view of one event.
import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { buildEvent } from '../../test/eventFactories';
import { buildDevice } from '../../test/factories';
import { renderAt } from '../../test/render';
import { StubApi } from '../../test/StubApi';
import { EventsPage } from './EventsPage';

const THREE = [
  buildEvent({ id: 3, start: '2026-03-02T10:30:00.000Z', end: null, snapshot_id: 's3' }),
  buildEvent({ id: 2, start: '2026-03-02T10:20:00.000Z', kind: 'motion', label: null, score: null, zone: 'Door' }),
  buildEvent({ id: 1, start: '2026-03-01T10:10:00.000Z', end: '2026-03-01T10:10:12.000Z', label: 'car' }),
];
const listed = (body: unknown, cursor = 7) => ({ body, headers: { 'X-Cursor': String(cursor) } });
const show = (address = '/events') =>
  renderAt(address, [
    { path: '/events', element: <EventsPage /> },
    { path: '/devices/:id', element: <p>the camera</p> },
  ]);
const tiles = () => screen.findAllByTestId('event-tile');
const links = async () => (await tiles()).map((tile) => within(tile).getByRole('link'));

let api: StubApi;
let fresh: unknown[];

beforeEach(() => {
  fresh = [];
  api = new StubApi({
    'GET /events': ({ query }) => (query.has('after') ? listed(fresh, 9) : listed(THREE)),
    'GET /events/values': {
      body: { kinds: [], labels: [{ value: 'person', events: 2 }], zones: [{ value: 'Door', events: 1 }] },
    },
    'GET /devices': { body: [buildDevice()], headers: {} },
    'GET /plugins': { body: [] },
  });
});
afterEach(() => vi.unstubAllGlobals());

test('events are shown by day with what they are, camera, score, duration and zone', async () => {
  show();
  await screen.findAllByText('Main gate');
  const [first, second, third] = await tiles();
  expect(first).toHaveTextContent(/goes on.*Person.*87 %.*Main gate/);
  expect(first!.querySelector('img')).toHaveAttribute('src', '/api/v1/snapshots/s3/image?width=480');
  expect(second).toHaveTextContent(/Motion.*Door/);
  expect(third).toHaveTextContent(/12 s.*Car/);
  expect(screen.getAllByRole('heading', { level: 2 })).toHaveLength(2);
  expect(api.all('GET /events')[0]!.query.get('of_plugins')).toBe('1');
});

test('the filter of the address is sent, and can be changed and cleared', async () => {
  const router = show('/events?device=d1&label=person&label=car&zone=Door&score=80&picture=1&when=today');
  await tiles();
  const { query } = api.all('GET /events')[0]!;
  expect(query.getAll('label')).toEqual(['person', 'car']);
  expect(Object.fromEntries(query)).toMatchObject({
    device_id: 'd1',
    zone: 'Door',
    min_score: '0.8',
    with_picture: '1',
  });
  expect(query.get('from')).toMatch(/^\d{4}-.*Z$/);
  await userEvent.click(screen.getByRole('checkbox', { name: 'With picture' }));
  await waitFor(() => expect(router.state.location.search).not.toContain('picture'));
  await userEvent.click(screen.getByRole('button', { name: 'Clear' }));
  await waitFor(() => expect(router.state.location.search).toBe(''));
});

test('a kind that is chosen may be one of the service itself', async () => {
  show('/events?kind=mark');
  await tiles();
  const { query } = api.all('GET /events')[0]!;
  expect([query.get('kind'), query.get('of_plugins')]).toEqual(['mark', null]);
});

test('further pages begin after the last event', async () => {
  const many = Array.from({ length: 60 }, (_, index) => buildEvent({ id: 100 - index }));
  api.set('GET /events', ({ query }) =>
    query.has('after') ? listed([]) : query.has('before') ? listed([buildEvent({ id: 1 })]) : listed(many),
  );
  show();
  await userEvent.click(await screen.findByRole('button', { name: 'Show more' }));
  await waitFor(() => expect(screen.getAllByTestId('event-tile')).toHaveLength(61));
  expect(
    api
      .all('GET /events')
      .find(({ query }) => query.has('before'))!
      .query.get('before'),
  ).toBe('41');
  expect(screen.queryByRole('button', { name: 'Show more' })).not.toBeInTheDocument();
});

test('what comes later waits for a click, and an event that ended is changed in its place', async () => {
  fresh = [
    buildEvent({ id: 3, start: THREE[0]!.start, end: '2026-03-02T10:31:05.000Z' }),
    buildEvent({ id: 4, start: '2026-03-02T10:40:00.000Z', label: 'dog' }),
  ];
  show();
  const more = await screen.findByRole('button', { name: '1 new' });
  expect((await tiles()).map((tile) => tile.textContent)).toEqual([
    expect.stringContaining('1 min 5 s'),
    expect.stringContaining('Motion'),
    expect.stringContaining('Car'),
  ]);
  fresh = [];
  window.scrollTo = vi.fn();
  await userEvent.click(more);
  expect((await tiles())[0]).toHaveTextContent('Dog');
  await waitFor(() => expect(api.all('GET /events').at(-1)!.query.get('after')).toBe('9'));
  expect(screen.queryByRole('button', { name: /new$/ })).not.toBeInTheDocument();
});

test('one tile is a tab stop; arrows go on, Enter opens, Escape returns to the tile', async () => {
  const router = show();
  const all = await links();
  expect(all.map(({ tabIndex }) => tabIndex)).toEqual([0, -1, -1]);
  all[0]!.focus();
  await userEvent.keyboard('{ArrowRight}');
  expect(all[1]).toHaveFocus();
  expect(all.map(({ tabIndex }) => tabIndex)).toEqual([-1, 0, -1]);
  await userEvent.keyboard('{Enter}');
  const dialog = await screen.findByRole('dialog');
  expect(router.state.location.search).toBe('?event=2');
  expect(dialog).toHaveTextContent('Motion, Main gate');
  await userEvent.keyboard('{ArrowRight}');
  await waitFor(() => expect(router.state.location.search).toBe('?event=1'));
  await userEvent.keyboard('{Escape}');
  await waitFor(() => expect(screen.queryByRole('dialog')).not.toBeInTheDocument());
  await waitFor(() => expect(all[2]).toHaveFocus());
});

test('an event plays from some seconds before it, also on the page of its camera', async () => {
  show('/events?event=1');
  const dialog = await screen.findByRole('dialog');
  await waitFor(() =>
    expect(api.asked.some(({ path }) => path.startsWith('/playback/') || path.includes('playlist'))).toBe(true),
  );
  const timeline = within(dialog).getByRole('link', { name: 'Show on the timeline' });
  expect(timeline).toHaveAttribute('href', '/devices/d1?t=2026-03-01T10%3A09%3A55.000Z');
});

test('an address opens an event that is not in the list, or says that it is gone', async () => {
  api.set('GET /events/77', { body: buildEvent({ id: 77, label: 'fox' }) });
  show('/events?event=77');
  expect(await screen.findByText('Fox, Main gate')).toBeInTheDocument();
});

test('an event that is gone is said to be so', async () => {
  api.set('GET /events/78', { status: 404, body: { message: 'there is no event' } });
  show('/events?event=78');
  expect(await screen.findByText('Event not found')).toBeInTheDocument();
});

test('without events the page says how to switch the analysis on', async () => {
  api.set('GET /events', listed([]));
  api.set('GET /plugins', {
    body: [{ name: 'eyes', hooks: ['register_detectors'], options: ['device'], state: 'running' }],
  });
  show();
  await waitFor(async () =>
    expect(await screen.findByRole('link', { name: 'Switch on for all cameras' })).toHaveAttribute(
      'href',
      '/plugins/eyes',
    ),
  );
  expect(screen.queryByRole('search')).not.toBeInTheDocument();
});

test('where a time has no events it can be widened', async () => {
  api.set('GET /events', ({ query }) => listed(query.has('from') ? [] : THREE));
  const router = show('/events?when=today&label=person');
  await userEvent.click(await screen.findByRole('button', { name: 'Show any time' }));
  expect(await tiles()).toHaveLength(3);
  expect(router.state.location.search).toBe('?label=person');
});

test('a list that cannot be read is explained and read again', async () => {
  let isAway = true;
  api.set('GET /events', () => (isAway ? { status: 400, body: { message: 'the database is away' } } : listed(THREE)));
  show();
  expect(await screen.findByRole('alert')).toHaveTextContent('The database is away');
  isAway = false;
  await userEvent.click(screen.getByRole('button', { name: 'Try now' }));
  expect(await tiles()).toHaveLength(3);
});
