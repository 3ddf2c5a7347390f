// The fake API of snapshots and posters, in memory: list, image, edit, delete with undo, captures at once and by a job.
import { drawScene } from './scenes.mjs';
import { countTags } from './tags.mjs';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const JOB_MS = 6_000;
const NOTES = ['White van without a number plate, waits since a quarter to', '', '', 'Door stands open', '', '', ''];
const TAGS = [['delivery'], [], ['evidence', 'gate', 'night shift', 'case 2026-114'], [], [], ['evidence'], []];

const numberOf = (camera) => Number(camera.device.id.slice(-12));
const iso = (ms) => new Date(ms).toISOString();
const uuid = (number) => `00000000-0000-4000-9000-${String(number).padStart(12, '0')}`;

function buildSnapshot(number, camera, at, change = {}) {
  const id = uuid(number);
  return {
    number: numberOf(camera),
    version: 1,
    isDeleted: false,
    fields: {
      id,
      device_id: camera.device.id,
      device_name: camera.device.name,
      at: iso(at),
      kind: ['live', 'scheduled', 'historical'][number % 3],
      schedule_id: number % 3 === 1 ? 4 : null,
      width: 1920,
      height: 1080,
      size: 310_000 + ((number * 7919) % 400_000),
      tags: TAGS[number % 7],
      note: NOTES[number % 7],
      created_by: number % 3 === 1 ? 'Every hour' : 'operator',
      created_at: iso(at + 300),
      image_url: `/api/v1/snapshots/${id}/image`,
      thumbnail_url: `/api/v1/snapshots/${id}/image?width=480`,
      ...change,
    },
  };
}

const made = new WeakMap();

/** One snapshot for one camera, more than one page for 30 cameras, over the last days. */
function snapshotsOf(cameras) {
  if (!made.has(cameras)) {
    const count = cameras.length > 1 ? 96 : cameras.length;
    const now = Date.now();
    const hourOf = (index) => (index < 9 ? index * 0.35 : 3 + index * 1.7);
    made.set(
      cameras,
      Array.from({ length: count }, (_, index) =>
        buildSnapshot(index + 1, cameras[(index * 7) % cameras.length], now - 240_000 - hourOf(index) * HOUR),
      ),
    );
  }
  return made.get(cameras);
}

const jobs = new Map();

function jobView({ number, created, camera, snapshot }) {
  const elapsed = Date.now() - created;
  const isDone = elapsed > JOB_MS;
  const result = {
    url: snapshot.fields.image_url,
    snapshot_id: snapshot.fields.id,
    name: '',
    size: 0,
    content_type: 'image/jpeg',
    start: null,
    end: null,
    duration_seconds: null,
    notes: [],
  };
  return {
    id: `snapshot-${number}`,
    kind: 'snapshot',
    device_id: camera.device.id,
    device_name: camera.device.name,
    state: isDone ? 'done' : 'running',
    progress: Math.min(1, elapsed / JOB_MS),
    stage: 'decoding',
    result: isDone ? result : null,
    error: null,
    created_at: iso(created),
    started_at: iso(created),
    finished_at: isDone ? iso(created + JOB_MS) : null,
    expires_at: null,
  };
}

function matches({ fields, isDeleted }, query) {
  const text = `${fields.note} ${fields.tags.join(' ')} ${fields.device_name}`.toLowerCase();
  return (
    !isDeleted &&
    (!query.device_id || fields.device_id === query.device_id) &&
    (!query.kind || fields.kind === query.kind) &&
    (!query.tag || fields.tags.includes(query.tag)) &&
    (!query.q || text.includes(query.q.toLowerCase())) &&
    (!query.start || Date.parse(fields.at) >= Date.parse(query.start)) &&
    (!query.end || Date.parse(fields.at) < Date.parse(query.end))
  );
}

/** A capture of the fourth camera takes a job; the third camera has no picture of a recorded moment. */
function capture({ response, rest, body, cameras, tools }) {
  const { send, refuse } = tools;
  const camera = cameras.find(({ device }) => device.id === rest[1]);
  if (!camera) return refuse(response, 404, `there is no device '${rest[1]}'`, {}, 'not_found');
  const isLive = rest[3] === 'live';
  if (isLive && camera.stream.observed !== 'running') {
    return refuse(
      response,
      409,
      `there is no picture of '${camera.device.name}' now: ${camera.stream.reason?.message ?? 'it is stopped'}; start it, or take a picture of a recorded moment`,
      {},
      'no_picture',
    );
  }
  const list = snapshotsOf(cameras);
  const at = isLive ? Date.now() - 120 : Date.parse(body.at);
  if (!isLive && numberOf(camera) === 2) {
    const errors = { nearest_before: [iso(at - 130_000)], nearest_after: [iso(at + 61_000)] };
    return refuse(response, 404, `nothing of '${camera.device.name}' is recorded at ${iso(at)}`, errors, 'no_footage');
  }
  const snapshot = buildSnapshot(list.length + 1, camera, at, {
    kind: isLive ? 'live' : 'historical',
    schedule_id: null,
    tags: [],
    note: '',
    created_by: 'You',
  });
  list.unshift(snapshot);
  if (numberOf(camera) === 3) {
    const job = { number: list.length, created: Date.now(), camera, snapshot };
    jobs.set(`snapshot-${job.number}`, job);
    return send(response, 202, jobView(job), { Location: `/api/v1/jobs/snapshot-${job.number}` });
  }
  return send(response, 201, snapshot.fields, { Location: `/api/v1/snapshots/${snapshot.fields.id}`, ETag: '"1"' });
}

/** Handles requests for snapshots and posters; false for other requests. */
export function answerSnapshots({ request, response, url, resource, rest, body, cameras, tools }) {
  const { send, refuse, page } = tools;
  const query = Object.fromEntries(url.searchParams);
  const sendPicture = (number, name, ms, headers = {}) => {
    response.writeHead(200, { 'Content-Type': 'image/svg+xml', 'Cache-Control': 'private, max-age=5', ...headers });
    return (response.end(drawScene(number, name, ms)), true);
  };
  if (resource === 'jobs' && jobs.has(rest[0])) return (send(response, 200, jobView(jobs.get(rest[0]))), true);
  if (resource === 'devices' && rest[1] === 'poster.jpg') {
    const camera = cameras.find(({ device }) => device.id === rest[0]);
    if (!camera) return (refuse(response, 404, `there is no device '${rest[0]}'`, {}, 'not_found'), true);
    const isRunning = camera.stream.observed === 'running';
    if (['failed', 'starting'].includes(camera.stream.observed))
      return (refuse(response, 404, 'there is no picture of this device', {}, 'no_picture'), true);
    const takenMs = Date.now() - (isRunning ? 1_000 : 3 * HOUR + numberOf(camera) * DAY * 0.1);
    return sendPicture(numberOf(camera), camera.device.name, takenMs, {
      'Last-Modified': new Date(takenMs).toUTCString(),
    });
  }
  if (resource !== 'snapshots' || rest[0] === 'schedules' || rest[2] === 'time-lapse') return false;
  if (rest[0] === 'devices') return (capture({ response, rest, body, cameras, tools }), true);
  const list = snapshotsOf(cameras);
  if (rest.length === 0) {
    const found = list.filter((snapshot) => matches(snapshot, query)).map(({ fields }) => fields);
    return (send(response, 200, ...page(url, query.order === 'oldest' ? found.reverse() : found)), true);
  }
  if (rest[0] === 'tags')
    return (
      send(
        response,
        200,
        ...page(url, countTags(list.filter(({ isDeleted }) => !isDeleted).map(({ fields }) => fields))),
      ),
      true
    );
  const snapshot = list.find(({ fields }) => fields.id === rest[0]);
  if (!snapshot || (snapshot.isDeleted && rest[1] !== 'restore'))
    return (refuse(response, 404, `there is no snapshot '${rest[0]}'`, {}, 'not_found'), true);
  const { fields } = snapshot;
  const etag = () => ({ ETag: `"${snapshot.version}"` });
  if (rest[1] === 'image') return sendPicture(snapshot.number, fields.device_name, Date.parse(fields.at));
  if (rest[1] === 'restore') {
    snapshot.isDeleted = false;
    return (send(response, 200, fields, etag()), true);
  }
  if (request.method === 'DELETE') {
    snapshot.isDeleted = true;
    return (send(response, 204), true);
  }
  if (request.method === 'PUT') {
    if (request.headers['if-match'] && request.headers['if-match'] !== etag().ETag)
      return (refuse(response, 412, 'the snapshot has changed'), true);
    Object.assign(fields, body);
    snapshot.version += 1;
  }
  return (send(response, 200, fields, etag()), true);
}
