// The fake API of snapshot schedules and time-lapses, in memory.

const iso = (ms) => new Date(ms).toISOString();
const made = new WeakMap();
const MINUTE = 60_000;

function build(id, device, fields) {
  return {
    id,
    device_id: device.id,
    device_name: device.name,
    name: '',
    enabled: true,
    every_seconds: null,
    times: [],
    weekdays: [],
    time_zone: 'Europe/Berlin',
    tags: [],
    keep_days: null,
    keep_count: null,
    next_at: null,
    last_at: null,
    last_taken_at: null,
    reason: null,
    created_by: 'operator',
    created_at: iso(Date.now() - 9e8),
    ...fields,
  };
}

/** The first camera has every kind, the second none, the eighth one with a very long name. */
function schedulesOf(camera) {
  if (made.has(camera)) return made.get(camera);
  const { device } = camera;
  const number = Number(device.id.slice(-12));
  const now = Date.now();
  const every = build(number * 10 + 1, device, {
    name: 'Building site',
    every_seconds: 600,
    tags: ['site', 'progress'],
    keep_days: 365,
    next_at: iso(now + 4 * MINUTE + 12_000),
    last_at: iso(now - 6 * MINUTE),
    last_taken_at: iso(now - 6 * MINUTE),
  });
  const list = [];
  if (number === 0) {
    list.push(
      every,
      build(2, device, {
        name: 'Shelves at closing time',
        times: ['12:30', '18:00', '20:15'],
        weekdays: ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'],
        keep_days: 30,
        keep_count: 500,
        next_at: iso(now + 900 * MINUTE),
        last_at: iso(now - 300 * MINUTE),
        last_taken_at: iso(now - 1_700 * MINUTE),
        reason: {
          code: 'no_picture',
          message: "there is no picture: no route to '192.168.7.10'",
          remedy: 'check that the camera has power and is in this network',
        },
      }),
      build(3, device, {
        name: 'Night check',
        every_seconds: 7_200,
        enabled: false,
        time_zone: 'America/New_York',
        weekdays: ['saturday', 'sunday'],
        last_at: iso(now - 90_000 * MINUTE),
        last_taken_at: iso(now - 90_000 * MINUTE),
      }),
    );
  }
  if (number === 7)
    list.push({
      ...every,
      name: 'North-western perimeter fence between gate 14 and the old substation, every ten minutes for the insurance (case 2026-114, until it is closed)',
      tags: ['outdoor', 'perimeter', 'evidence', 'insurance', 'fence'],
    });
  made.set(camera, list);
  return list;
}

/** Handles a request below /snapshots/schedules, or for a time-lapse; false for other requests. */
export function answerSchedules({ request, response, url, rest, body, cameras, startJob, tools }) {
  const { send, refuse, page } = tools;
  if (rest[0] === 'devices' && rest[2] === 'time-lapse') {
    const camera = cameras.find(({ device }) => device.id === rest[1]);
    if (!camera) return (refuse(response, 404, `there is no device '${rest[1]}'`, {}, 'not_found'), true);
    return (startJob(response, camera, body, 'time_lapse'), true);
  }
  if (rest[0] !== 'schedules') return false;
  const all = cameras.flatMap(schedulesOf);
  if (rest.length === 1 && request.method === 'GET') {
    const device = url.searchParams.get('device_id');
    return (
      send(
        response,
        200,
        ...page(
          url,
          all.filter((schedule) => !device || schedule.device_id === device),
        ),
      ),
      true
    );
  }
  const due = (fields) => ({
    next_at: fields.enabled ? iso(Date.now() + (fields.every_seconds ?? 36_000) * 1000) : null,
  });
  if (rest.length === 1) {
    const camera = cameras.find(({ device }) => device.id === body.device_id);
    const schedule = build(Date.now(), camera.device, { ...body, ...due(body) });
    schedulesOf(camera).push(schedule);
    return (send(response, 201, schedule, { ETag: '"1"' }), true);
  }
  const schedule = all.find(({ id }) => String(id) === rest[1]);
  if (!schedule) return (refuse(response, 404, `there is no schedule '${rest[1]}'`, {}, 'not_found'), true);
  if (request.method === 'DELETE') {
    const own = schedulesOf(cameras.find(({ device }) => device.id === schedule.device_id));
    own.splice(own.indexOf(schedule), 1);
    return (send(response, 204), true);
  }
  if (request.method === 'PUT') {
    if (body.keep_count !== null && body.keep_count > 10_000_000) {
      return (
        refuse(response, 422, 'the schedule is not valid', {
          json: { keep_count: ["'keep_count' must be between 1 and 10000000"] },
        }),
        true
      );
    }
    Object.assign(schedule, body, due(body));
  }
  return (send(response, 200, schedule, { ETag: '"1"' }), true);
}
