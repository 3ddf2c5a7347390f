// The fake API of events, in memory: lists with filters and cursors, values, one event, lanes and neighbours of a camera.
import { drawScene } from './scenes.mjs';

const MINUTE = 60_000;
const WHAT = [
  ['object', 'person', 0.91],
  ['object', 'car', 0.84],
  ['motion', null, 0.34],
  ['object', 'person', 0.67],
  ['object', 'dog', 0.58],
  ['door.opened', null, null],
  ['object', 'person', 0.97],
  ['object', 'a parcel that somebody has left in front of the door', 0.72],
];
const ZONES = ['Driveway', null, 'Door', null, 'Loading bay behind the northern warehouse, gates 1 to 12', null];
const PICTURE = '00000000-0000-4000-a000-';

const numberOf = (camera) => Number(camera.device.id.slice(-12));
const iso = (ms) => new Date(ms).toISOString();

const made = new WeakMap();

/** Newest first: none without cameras, one for one camera, hundreds for many; FAKE_EVENTS sets another number. */
function eventsOf(cameras) {
  if (made.has(cameras)) return made.get(cameras);
  const count = cameras.length > 1 ? Number(process.env.FAKE_EVENTS ?? 400) : cameras.length;
  const now = Date.now();
  const step = count > 1000 ? 0.4 * MINUTE : 7 * MINUTE;
  const events = Array.from({ length: count }, (_, index) => {
    const [kind, label, score] = WHAT[(index * 5) % WHAT.length];
    const start = now - 3 * MINUTE - index * step - ((index * 7919) % 50) * 1000;
    const id = 100_000 - index;
    return {
      id,
      cursor: id,
      change: 'ended',
      kind,
      device_id: cameras[(index * 7) % cameras.length].device.id,
      at: iso(start),
      start: iso(start),
      end: index === 0 ? null : iso(start + (kind === 'door.opened' ? 0 : 4_000 + ((index * 31) % 90) * 1_000)),
      plugin: 'picture_analysis',
      label,
      zone: ZONES[index % ZONES.length],
      score,
      text: null,
      snapshot_id: index % 9 === 5 ? null : `${PICTURE}${String(index).padStart(12, '0')}`,
      data: {},
    };
  });
  made.set(cameras, events);
  return events;
}

function select(events, search) {
  const all = (name) => search.getAll(name);
  const isAny = (values, value) => values.length === 0 || values.includes(value);
  const [from, to] = [Date.parse(search.get('from') ?? ''), Date.parse(search.get('to') ?? '')];
  return events.filter(
    (event) =>
      isAny(all('device_id'), event.device_id) &&
      isAny(all('kind'), event.kind) &&
      isAny(all('label'), event.label) &&
      isAny(all('zone'), event.zone) &&
      !(search.has('min_score') && (event.score ?? -1) < Number(search.get('min_score'))) &&
      !(search.has('with_picture') && event.snapshot_id === null) &&
      !(Date.parse(event.end ?? event.start) < from) &&
      !(Date.parse(event.start) >= to),
  );
}

const countBy = (events, name) => {
  const counts = new Map();
  for (const event of events) if (event[name]) counts.set(event[name], (counts.get(event[name]) ?? 0) + 1);
  return [...counts].map(([value, number]) => ({ value, events: number })).sort((a, b) => b.events - a.events);
};

/** Lanes with runs over the last days, the same for each camera. */
function lanesOf(search) {
  const [from, to] = [Date.parse(search.get('from')), Math.min(Date.now(), Date.parse(search.get('to')))];
  const resolution = Number(search.get('resolution_seconds')) * 1000;
  const shrink = Number(process.env.FAKE_DENSE ?? 1);
  const lanes = [
    ['motion', null, 11, 3.5],
    ['object', 'car', 47, 6],
    ['object', 'person', 23, 4],
  ].map(([kind, label, everyMinutes, minutes]) => {
    const runs = [];
    let events = 0;
    const every = everyMinutes * MINUTE * shrink;
    for (let at = Math.floor(from / every) * every; at < to; at += every) {
      const [start, end] = [Math.max(at, from) - from, Math.min(at + minutes * MINUTE * shrink, to) - from];
      if (end <= 0) continue;
      events += 1;
      const last = runs.at(-1);
      if (last && start - last[1] <= resolution) [last[1], last[2]] = [end, last[2] + 1];
      else runs.push([start, end, 1]);
    }
    return { kind, label, events, runs };
  });
  return { start: iso(from), end: search.get('to'), resolution_seconds: resolution / 1000, lanes, is_complete: true };
}

/** Handles requests for events and their pictures; false for other requests. */
export function answerEvents({ response, url, resource, rest, cameras, tools }) {
  const { send, refuse } = tools;
  const events = eventsOf(cameras);
  if (resource === 'snapshots' && rest[0]?.startsWith(PICTURE)) {
    const event = events.find(({ snapshot_id: id }) => id === rest[0]);
    const camera = cameras.find(({ device }) => device.id === event?.device_id);
    if (!camera) return false;
    response.writeHead(200, { 'Content-Type': 'image/svg+xml', 'Cache-Control': 'private, max-age=60' });
    response.end(drawScene(numberOf(camera), camera.device.name, Date.parse(event.start)));
    return true;
  }
  if (resource === 'devices' && rest[1] === 'events' && rest[2] === 'lanes')
    return (
      send(
        response,
        200,
        numberOf({ device: { id: rest[0] } }) % 4 === 0
          ? lanesOf(url.searchParams)
          : { ...lanesOf(url.searchParams), lanes: [] },
      ),
      true
    );
  if (resource === 'devices' && rest[1] === 'events' && rest[2] === 'neighbours') {
    const at = Date.parse(url.searchParams.get('at'));
    const every = 23 * MINUTE;
    const build = (start) => ({
      ...events[0],
      id: start,
      device_id: rest[0],
      start: iso(start),
      end: iso(start + 4 * MINUTE),
    });
    const next = Math.floor(at / every + 1) * every;
    return (send(response, 200, { previous: build(next - every), next: next < Date.now() ? build(next) : null }), true);
  }
  if (resource !== 'events' || rest[0] === 'stream') return false;
  if (rest[0] === 'values')
    return (
      send(response, 200, {
        kinds: countBy(events, 'kind'),
        labels: countBy(events, 'label'),
        zones: countBy(events, 'zone'),
        is_complete: true,
      }),
      true
    );
  if (rest[0]) {
    const event = events.find(({ id }) => id === Number(rest[0]));
    if (!event) refuse(response, 404, `there is no event with id '${rest[0]}'`, {}, 'not_found');
    else send(response, 200, event);
    return true;
  }
  const cursor = { 'X-Cursor': '100000' };
  if (url.searchParams.has('after')) {
    // Three events have come since the list was read.
    const fresh =
      cameras.length > 1
        ? [1, 2, 3].map((number) => ({
            ...events[number],
            id: 100_000 + number,
            start: iso(Date.now() - number * 1000),
            end: null,
          }))
        : [];
    return (send(response, 200, select(fresh, url.searchParams), cursor), true);
  }
  const before = Number(url.searchParams.get('before') ?? 0);
  const found = select(events, url.searchParams).filter(({ id }) => !before || id < before);
  return (send(response, 200, found.slice(0, Number(url.searchParams.get('page_size') ?? 50)), cursor), true);
}
