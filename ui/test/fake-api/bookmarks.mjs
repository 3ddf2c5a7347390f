// The fake bookmark API, in memory: clips in every state, short and very long texts, clips that become ready after some seconds.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { drawScene } from './scenes.mjs';
import { countTags } from './tags.mjs';

const CLIP_MS = 7_000;
const iso = (ms) => new Date(ms).toISOString();
const TITLES = [
  'Delivery at the ramp',
  'Barrier lifted by hand',
  'Forklift too fast',
  'Door stays open',
  'Visitor without badge',
  'Van turns in the yard',
  'Light fails',
  'Parcel left outside',
  'Alarm test',
];
const NOTES = ['', 'Handed to the shift lead.', '', 'Third time this week: see the plan for the ramp.', '', ''];
const TAGS = [
  ['delivery'],
  [],
  ['safety', 'ramp'],
  ['door'],
  ['visitor', 'night'],
  [],
  ['delivery', 'yard', 'evidence', 'insurance'],
];
const LONG_TITLE =
  'Lorry with a trailer manoeuvres between the old substation and gate 14, touches the thermal camera’s mast at 07:42 and drives on without stopping';
const LONG_NOTE =
  'The mast is bent by some ten degrees and the picture of the thermal camera has moved to the left since.\n\nInsurance case 2026-114. The driver was reached at noon and confirms that he noticed nothing. Wear and tear before that day: see the maintenance protocol of the second of October, page 3. Keep until the case is closed.';
const FAILURES = [
  {
    code: 'no_footage',
    message: 'there is no footage of this time: it was not being recorded, and the live buffer no longer held it',
    remedy: 'record the camera, or bookmark sooner',
  },
  {
    code: 'disk_full',
    message: 'the disk for captures is full',
    remedy: 'delete old snapshots and bookmarks or free some space',
  },
];

let clip = null;
function makeClip() {
  const folder = mkdtempSync(join(tmpdir(), 'vas-fake-'));
  const file = join(folder, 'clip.mp4');
  execFileSync('ffmpeg', [
    '-v',
    'error',
    '-f',
    'lavfi',
    '-i',
    'testsrc2=size=1280x720:rate=12.5:duration=10',
    '-c:v',
    'libx264',
    '-preset',
    'ultrafast',
    '-pix_fmt',
    'yuv420p',
    '-movflags',
    '+faststart',
    file,
  ]);
  const bytes = readFileSync(file);
  rmSync(folder, { recursive: true });
  return bytes;
}

const made = new WeakMap();
let serial = 1;

function buildBookmark(camera, fields, change = {}) {
  const number = serial;
  serial += 1;
  const id = `00000000-0000-4000-9000-${String(number).padStart(12, '0')}`;
  return {
    id,
    camera,
    fields,
    created: Date.now(),
    readyAt: Date.now() + CLIP_MS,
    failure: null,
    isStuck: false,
    deleted: false,
    version: 1,
    notes: [],
    by: 'operator',
    ...change,
  };
}

/** 37 bookmarks for 30 cameras, one for one camera. */
function bookmarksOf(cameras) {
  const [first] = cameras;
  if (!first) return [];
  if (made.has(first)) return made.get(first);
  const now = Date.now();
  const count = cameras.length === 1 ? 1 : 37;
  const list = Array.from({ length: count }, (_, index) => {
    const atMs = now - 900_000 - index * index * 1_700_000;
    const isLong = index === 3;
    const fields = {
      at: iso(atMs),
      title: isLong ? LONG_TITLE : TITLES[index % TITLES.length],
      note: isLong ? LONG_NOTE : NOTES[index % NOTES.length],
      tags: TAGS[index % TAGS.length],
      before_seconds: 5,
      after_seconds: index % 4 === 2 ? 20 : 5,
    };
    const camera = cameras[isLong ? 7 % cameras.length : (index * 5) % cameras.length];
    return buildBookmark(camera, fields, {
      created: atMs + 4_000,
      readyAt: 0,
      isStuck: count > 1 && index < 2,
      stuckAt: index === 0 ? 0.62 : 0,
      failure: count > 1 && (index === 4 || index === 6) ? FAILURES[index === 4 ? 0 : 1] : null,
      notes:
        index === 3 ? ['only 3.2 s were held before the moment', '0.8 s are missing: the recorder was restarted'] : [],
      by: index % 3 ? 'operator' : 'Night watch',
    });
  });
  made.set(first, list);
  return list;
}

function viewOf({ id, camera, fields, created, readyAt, failure, isStuck, stuckAt, version, notes, by }) {
  const now = Date.now();
  const state = failure ? 'failed' : isStuck || now < readyAt ? 'pending' : 'ready';
  const isReady = state === 'ready';
  const atMs = Date.parse(fields.at);
  const progress = isStuck ? stuckAt : isReady ? 1 : Math.max(0, Math.min(0.99, 1 - (readyAt - now) / CLIP_MS));
  return {
    id,
    device_id: camera.device.id,
    device_name: camera.device.name,
    ...fields,
    version,
    clip: {
      state,
      progress,
      job_id: state === 'pending' ? '1' : null,
      reason: failure,
      url: isReady ? `/api/v1/bookmarks/${id}/clip.mp4` : null,
      start: isReady ? iso(atMs - fields.before_seconds * 1000) : null,
      end: isReady ? iso(atMs + fields.after_seconds * 1000) : null,
      duration_seconds: isReady ? fields.before_seconds + fields.after_seconds : null,
      size: isReady ? 4_812_000 : null,
      codec: isReady ? 'h264' : null,
      notes: isReady ? notes : [],
    },
    poster_url: isStuck && !stuckAt ? null : `/api/v1/bookmarks/${id}/poster.jpg`,
    created_by: by,
    created_at: iso(created),
    updated_at: iso(created),
  };
}

/** Handles a request below /bookmarks; false for other requests. */
export function answerBookmarks({ request, response, url, rest, body, cameras, footageOf, tools }) {
  const { send, refuse, page } = tools;
  const list = bookmarksOf(cameras);
  const query = Object.fromEntries(url.searchParams);
  if (rest.length === 0 && request.method === 'GET') {
    const text = (query.q ?? '').toLowerCase();
    const found = list
      .filter((bookmark) => !bookmark.deleted)
      .map(viewOf)
      .filter(
        (view) =>
          [view.title, view.note, view.device_name, ...view.tags].join(' ').toLowerCase().includes(text) &&
          (!query.device_id || view.device_id === query.device_id) &&
          (!query.tag || view.tags.includes(query.tag)) &&
          (!query.start || view.at >= iso(Date.parse(query.start))) &&
          (!query.end || view.at < iso(Date.parse(query.end))),
      );
    found.sort((a, b) => b.at.localeCompare(a.at) * (query.order === 'oldest' ? -1 : 1));
    return (send(response, 200, ...page(url, found)), true);
  }
  if (rest.length === 0) {
    const camera = cameras.find(({ device }) => device.id === body.device_id);
    if (!camera) return (refuse(response, 404, `there is no device '${body.device_id}'`, {}, 'not_found'), true);
    if (camera.stream.observed !== 'running' && !footageOf(camera)) {
      return (
        refuse(
          response,
          404,
          `there is no footage of this time: '${camera.device.name}' is not running and was not recorded`,
          {},
          'no_footage',
        ),
        true
      );
    }
    const { title, note, tags, before_seconds, after_seconds } = body;
    const bookmark = buildBookmark(
      camera,
      { at: body.at ?? iso(Date.now()), title, note, tags, before_seconds, after_seconds },
      { by: 'You' },
    );
    list.push(bookmark);
    return (send(response, 201, viewOf(bookmark), { ETag: '"1"' }), true);
  }
  if (rest[0] === 'tags')
    return (
      send(response, 200, ...page(url, countTags(list.filter(({ deleted }) => !deleted).map(({ fields }) => fields)))),
      true
    );
  const bookmark = list.find(({ id }) => id === rest[0]);
  if (!bookmark || (bookmark.deleted && rest[1] !== 'restore'))
    return (refuse(response, 404, `there is no bookmark '${rest[0]}'`, {}, 'not_found'), true);
  const etag = () => ({ ETag: `"${bookmark.version}"` });
  if (rest[1] === 'poster.jpg') {
    response.writeHead(200, { 'Content-Type': 'image/svg+xml' });
    return (
      response.end(
        drawScene(
          Number(bookmark.camera.device.id.slice(-12)),
          bookmark.camera.device.name,
          Date.parse(bookmark.fields.at),
        ),
      ),
      true
    );
  }
  if (rest[1] === 'clip.mp4') {
    clip ??= makeClip();
    const range = /bytes=(\d+)-(\d+)?/.exec(request.headers.range ?? '');
    const [from, to] = range
      ? [Number(range[1]), Math.min(clip.length - 1, Number(range[2] ?? clip.length - 1))]
      : [0, clip.length - 1];
    response.writeHead(range ? 206 : 200, {
      'Content-Type': 'video/mp4',
      'Accept-Ranges': 'bytes',
      'Content-Range': `bytes ${from}-${to}/${clip.length}`,
      'Content-Length': to - from + 1,
    });
    return (response.end(clip.subarray(from, to + 1)), true);
  }
  if (rest[1] === 'clip') {
    Object.assign(bookmark, { failure: null, isStuck: false, readyAt: Date.now() + CLIP_MS });
    return (send(response, 202, viewOf(bookmark)), true);
  }
  if (rest[1] === 'restore') {
    bookmark.deleted = false;
    return (send(response, 200, viewOf(bookmark), etag()), true);
  }
  if (request.method === 'DELETE') {
    bookmark.deleted = true;
    return (send(response, 204), true);
  }
  if (request.method === 'PUT') {
    if (request.headers['if-match'] && request.headers['if-match'] !== `"${bookmark.version}"`)
      return (refuse(response, 412, 'the bookmark has changed'), true);
    const isNewClip =
      body.before_seconds !== bookmark.fields.before_seconds || body.after_seconds !== bookmark.fields.after_seconds;
    Object.assign(bookmark.fields, body);
    bookmark.version += 1;
    if (isNewClip) bookmark.readyAt = Date.now() + CLIP_MS;
  }
  return (send(response, 200, viewOf(bookmark), etag()), true);
}
