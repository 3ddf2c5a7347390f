// The fake recordings API, in memory: settings, days, timeline, coverage, storage.
import { buildFootage, dayOf, timelineOf } from './footage.mjs';

const DAY = 86_400_000;
const MODES = ['continuous', 'scheduled', 'continuous', 'event', 'continuous', 'off'];
const PLAN = {
  monday: [['07:00', '19:00']],
  tuesday: [['07:00', '19:00']],
  wednesday: [
    ['07:00', '12:00'],
    ['13:00', '19:00'],
  ],
  friday: [['20:00', '06:00']],
};
const OFFSET_MS = 3_600_000;

const made = new WeakMap();

/** {recording, footage, version} of a camera, created once; `footage` is null when nothing is recorded. */
export function recordingOf(camera) {
  if (made.has(camera)) return made.get(camera);
  const now = Date.now();
  const number = Number(camera.device.id.slice(-12));
  const mode = MODES[number % MODES.length];
  const isInterrupted = ['failed', 'reconnecting'].includes(camera.stream.observed);
  const isStopped = number === 4;
  const isWanted = !isStopped && mode !== 'off' && mode !== 'event';
  const observed =
    isStopped || mode === 'off' ? 'off' : mode === 'event' ? 'waiting' : isInterrupted ? 'interrupted' : 'recording';
  const hasFootage = mode !== 'off';
  const newest = observed === 'recording' ? now - 1_500 : now - (number + 1) * 1_700_000;
  const footage = hasFootage
    ? buildFootage(number, { days: number === 0 ? 400 : 6 + (number % 9), mode, newest })
    : null;
  const seconds = footage ? Math.round(footage.spans.reduce((sum, { start, end }) => sum + end - start, 0) / 1000) : 0;
  const reasons = {
    off: { code: 'recording_off', message: 'recording is off', remedy: null },
    waiting: { code: 'no_event', message: 'no event has opened a window', remedy: null },
    interrupted: { code: 'unreachable', message: 'no route to the camera', remedy: 'check that it has power' },
    recording: null,
  };
  const recording = {
    device_id: camera.device.id,
    device_name: camera.device.name,
    mode,
    time_zone: 'Europe/Berlin',
    plan: mode === 'scheduled' ? PLAN : {},
    pre_roll_seconds: 10,
    post_roll_seconds: 30,
    keep_days: null,
    keep_bytes: number % 5 === 2 ? 500_000_000_000 : null,
    override: isStopped
      ? {
          wish: 'off',
          by: 'operator',
          at: new Date(now - 3_000_000).toISOString(),
          until: new Date(now + 2_000_000).toISOString(),
        }
      : null,
    is_wanted: isWanted,
    cause: isWanted ? (mode === 'scheduled' ? 'schedule' : 'continuous') : null,
    observed,
    reason: reasons[observed],
    since: new Date(now - 900_000 * (number + 1)).toISOString(),
    oldest: footage ? new Date(footage.oldest).toISOString() : null,
    newest: footage ? new Date(footage.newest).toISOString() : null,
    bytes: seconds * 500_000,
    seconds,
    retention: {
      keep_days: 14,
      keep_bytes: number % 5 === 2 ? 500_000_000_000 : null,
      free_bytes_floor: 2_000_000_000,
      expected_seconds: number % 5 === 2 ? 432_000 : 46_800,
      limit: number % 5 === 2 ? 'size' : 'store',
      bin_hours: 24,
    },
  };
  const entry = { recording, footage, version: 1 };
  made.set(camera, entry);
  return entry;
}

const datesBetween = (from, to) => {
  const dates = [];
  for (let at = Date.parse(`${from}T00:00:00Z`); at <= Date.parse(`${to}T00:00:00Z`); at += DAY)
    dates.push(new Date(at).toISOString().slice(0, 10));
  return dates;
};

const STORAGE = {
  state: 'ok',
  reason: null,
  total_bytes: 4_000_000_000_000,
  free_bytes: 1_120_000_000_000,
  used_by_recordings_bytes: 2_480_000_000_000,
  floor_bytes: 40_000_000_000,
  bytes_per_day: 1_210_000_000_000,
  days_left: 0.89,
  keep_bytes: 5_368_709_120,
  tenant_keep_bytes: null,
};

/** Handles a request below /recordings; false for other requests. `tools` are the server's send, refuse and page. */
export function answerRecordings({ request, response, url, rest, body, cameras, tools }) {
  const { send, refuse, page } = tools;
  const query = Object.fromEntries(url.searchParams);
  const entries = () => cameras.map(recordingOf);
  if (rest.length === 0) {
    const found = entries()
      .map(({ recording }) => recording)
      .filter(({ device_name }) => device_name.toLowerCase().includes((query.q ?? '').toLowerCase()));
    return (send(response, 200, ...page(url, found)), true);
  }
  if (rest[0] === 'storage') return (send(response, 200, STORAGE), true);
  if (rest[0] === 'coverage') {
    const days = entries().flatMap(({ recording, footage }) =>
      datesBetween(query.from, query.to).map((date) => ({
        device_id: recording.device_id,
        device_name: recording.device_name,
        ...(footage
          ? dayOf(footage, date, OFFSET_MS)
          : { date, recorded_seconds: 0, wanted_seconds: 0, coverage: null, gaps: [] }),
      })),
    );
    return (send(response, 200, days), true);
  }
  if (rest[0] !== 'devices') return false;
  const camera = cameras.find(({ device }) => device.id === rest[1]);
  if (!camera) return (refuse(response, 404, `there is no device '${rest[1]}'`, {}, 'not_found'), true);
  const entry = recordingOf(camera);
  const { recording, footage } = entry;
  const etag = () => ({ ETag: `"${entry.version}"` });
  const [action] = rest.slice(2);
  if (action === 'expiring') {
    const isShorter = query.keep_days !== undefined && Number(query.keep_days) > 0 && Number(query.keep_days) < 14;
    const loss = {
      bytes: 12_400_000_000,
      seconds: 40_000,
      days: 11,
      oldest: recording.oldest,
      newest: recording.newest,
    };
    return (send(response, 200, isShorter ? loss : { ...loss, bytes: 0, seconds: 0, days: 0 }), true);
  }
  if (!action && request.method === 'PUT') {
    if (body.keep_days !== null && body.keep_days > 3650) {
      return (
        refuse(response, 422, 'the recording is not valid', {
          json: { keep_days: ["'keep_days' must be between 0 and 3650"] },
        }),
        true
      );
    }
    Object.assign(recording, body);
    entry.version += 1;
    return (send(response, 200, recording, etag()), true);
  }
  if (!action) return (send(response, 200, recording, etag()), true);
  if (['start', 'stop', 'resume'].includes(action)) {
    const isOn = action === 'start' || (action === 'resume' && recording.mode === 'continuous');
    recording.override =
      action === 'resume'
        ? null
        : {
            wish: action === 'start' ? 'on' : 'off',
            by: 'You',
            at: new Date().toISOString(),
            until: body?.until ?? null,
          };
    Object.assign(recording, {
      is_wanted: isOn,
      observed: isOn ? 'recording' : 'off',
      reason: null,
      cause: isOn ? 'manual' : null,
    });
    return (send(response, 202, recording), true);
  }
  if (action === 'events' && request.method === 'POST') {
    const at = body.at ?? new Date().toISOString();
    footage?.events.push({ kind: 'recording', at, end: null, label: body.label, note: body.note ?? null });
    return (
      send(response, 201, { id: 1, at, end: null, label: body.label, note: body.note ?? null, source: 'api' }),
      true
    );
  }
  if (action === 'dates' && rest.length === 3) {
    const days = footage ? datesBetween(query.from, query.to).map((date) => dayOf(footage, date, OFFSET_MS)) : [];
    const recordedDays = days.filter(({ recorded_seconds }) => recorded_seconds > 0);
    const bytes = (seconds) => seconds * 500_000;
    return (
      send(
        response,
        200,
        recordedDays.map(({ date, recorded_seconds, wanted_seconds, coverage, gaps }) => ({
          date,
          seconds: recorded_seconds,
          wanted_seconds,
          coverage,
          bytes: bytes(recorded_seconds),
          segments: Math.ceil(recorded_seconds / 60),
          gaps: gaps.length,
        })),
      ),
      true
    );
  }
  if (action === 'coverage') {
    const none = { recorded_seconds: 0, wanted_seconds: 0, coverage: null, gaps: [] };
    return (
      send(
        response,
        200,
        datesBetween(query.from, query.to).map((date) =>
          footage ? dayOf(footage, date, OFFSET_MS) : { date, ...none },
        ),
      ),
      true
    );
  }
  if (action === 'timeline') {
    const empty = { spans: [], gaps: [], events: [], protections: [], oldest: null, newest: null };
    const timeline = footage
      ? timelineOf(footage, Date.parse(query.start), Date.parse(query.end), Number(query.resolution_seconds ?? 1))
      : { start: query.start, end: query.end, resolution_seconds: 1, ...empty };
    return (send(response, 200, timeline), true);
  }
  return false;
}
