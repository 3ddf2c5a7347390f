// Playable fake footage: every minute is the same 60 seconds of video with its own timestamps. Also the actions on a
// range: protections, deletion, exports that take some seconds.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const MINUTE = 60_000;
const FRAGMENT = 2_000;
const EXPORT_MS = 9_000;
const iso = (ms) => new Date(ms).toISOString();

function boxesOf(bytes, from = 0, to = bytes.length) {
  const boxes = [];
  for (let at = from; at + 8 <= to; at += bytes.readUInt32BE(at)) {
    boxes.push({ type: bytes.toString('latin1', at + 4, at + 8), start: at, end: at + bytes.readUInt32BE(at) });
  }
  return boxes;
}

/** {init, fragments, clocks, timescale}: `clocks` are the positions of the fragments' decode times in the file. */
function makeMinute() {
  const folder = mkdtempSync(join(tmpdir(), 'vas-fake-'));
  const file = join(folder, 'minute.mp4');
  const encode = [
    '-c:v',
    'libx264',
    '-preset',
    'ultrafast',
    '-tune',
    'zerolatency',
    '-g',
    '25',
    '-keyint_min',
    '25',
    '-sc_threshold',
    '0',
    '-pix_fmt',
    'yuv420p',
  ];
  const mux = [
    '-video_track_timescale',
    '12800',
    '-movflags',
    '+empty_moov+default_base_moof+frag_keyframe',
    '-f',
    'mp4',
    file,
  ];
  execFileSync('ffmpeg', [
    '-v',
    'error',
    '-f',
    'lavfi',
    '-i',
    'testsrc2=size=1280x720:rate=12.5:duration=60',
    ...encode,
    ...mux,
  ]);
  const bytes = readFileSync(file);
  rmSync(folder, { recursive: true });
  const top = boxesOf(bytes).filter(({ type }) => type !== 'mfra');
  const first = top.find(({ type }) => type === 'moof');
  const fragments = top
    .filter(({ type }) => type === 'moof')
    .map(({ start }) => ({ start, end: top.find((box) => box.type === 'mdat' && box.start > start).end }));
  const clocks = fragments.map(({ start }) => {
    const traf = boxesOf(
      bytes,
      start + 8,
      boxesOf(bytes, start, start + 8)[0]?.end ?? start + bytes.readUInt32BE(start),
    ).find(({ type }) => type === 'traf');
    const tfdt = boxesOf(bytes, traf.start + 8, traf.end).find(({ type }) => type === 'tfdt');
    return { at: tfdt.start + 12, isLong: bytes[tfdt.start + 8] === 1 };
  });
  return { bytes: bytes.subarray(0, fragments.at(-1).end), init: first.start, fragments, clocks, timescale: 12800 };
}

let minute = null;

function segmentOf(index) {
  minute ??= makeMinute();
  const bytes = Buffer.from(minute.bytes);
  minute.clocks.forEach(({ at, isLong }, number) => {
    const ticks =
      BigInt(index % 100_000) * 60n * BigInt(minute.timescale) + BigInt(number * (FRAGMENT / 1000) * minute.timescale);
    if (isLong) bytes.writeBigUInt64BE(ticks, at);
    else bytes.writeUInt32BE(Number(ticks & 0xffffffffn), at);
  });
  return bytes;
}

function fragmentsIn(footage, fromMs, toMs) {
  const found = [];
  for (const { start, end } of footage.spans) {
    const first = Math.ceil(Math.max(start, fromMs - FRAGMENT + 1) / FRAGMENT) * FRAGMENT;
    for (let at = first; at < toMs && at + FRAGMENT <= end; at += FRAGMENT) found.push(at);
  }
  return found;
}

/** null without footage; `isLive`: without an end tag, numbered by the clock. */
function playlist(footage, fromMs, toMs, isLive = false) {
  minute ??= makeMinute();
  const starts = fragmentsIn(footage, fromMs, toMs);
  const sequence = isLive ? Math.floor((starts[0] ?? 0) / FRAGMENT) : 0;
  const lines = [
    '#EXTM3U',
    '#EXT-X-VERSION:7',
    '#EXT-X-TARGETDURATION:2',
    `#EXT-X-MEDIA-SEQUENCE:${sequence}`,
    '#EXT-X-INDEPENDENT-SEGMENTS',
  ];
  let last = null;
  for (const at of starts) {
    const index = Math.floor(at / MINUTE);
    const { start, end } = minute.fragments[Math.floor((at % MINUTE) / FRAGMENT)];
    if (last !== null && at !== last + FRAGMENT) lines.push('#EXT-X-DISCONTINUITY');
    if (last === null || Math.floor(last / MINUTE) !== index || at !== last + FRAGMENT)
      lines.push(`#EXT-X-MAP:URI="segments/${index}.mp4",BYTERANGE="${minute.init}@0"`);
    lines.push(
      `#EXT-X-PROGRAM-DATE-TIME:${iso(at)}`,
      '#EXTINF:2.000,',
      `#EXT-X-BYTERANGE:${end - start}@${start}`,
      `segments/${index}.mp4`,
    );
    last = at;
  }
  return last === null ? null : `${lines.join('\n')}\n${isLive ? '' : '#EXT-X-ENDLIST\n'}`;
}

const jobs = [];

function buildJob(camera, body, kind = 'export') {
  const created = Date.now();
  return { created, kind, device: camera.device, body, number: jobs.length + 1, cancelledAt: null };
}

/** Starts a job of another kind and responds with it. */
export function startFakeJob({ send }, response, camera, body, kind) {
  const job = buildJob(camera, body, kind);
  jobs.push(job);
  send(response, 202, jobView(job), { Location: `/api/v1/jobs/${job.number}` });
}

function jobView({ created, kind, device, body, number, cancelledAt, failure }) {
  const now = Date.now();
  const elapsed = (cancelledAt ?? now) - created;
  const isDone = elapsed >= EXPORT_MS && !cancelledAt;
  const state = cancelledAt
    ? 'cancelled'
    : failure && elapsed > 400
      ? 'failed'
      : isDone
        ? 'done'
        : elapsed < 400
          ? 'queued'
          : 'running';
  const [start, end] = [Date.parse(body.start), Date.parse(body.end)];
  const result = {
    url: `/api/v1/jobs/${number}/result`,
    name: `${kind}-${number}.mp4`,
    size: Math.round((end - start) * 500),
    content_type: 'video/mp4',
    start: iso(start),
    end: iso(end),
    duration_seconds: body.length_seconds ?? (end - start) / 1000,
    notes: end - start > 600_000 ? ['2 min 14 s are missing: no route to the camera'] : [],
  };
  return {
    id: String(number),
    kind,
    device_id: device.id,
    device_name: device.name,
    state,
    progress: state === 'done' ? 1 : state === 'failed' ? 0.4 : Math.min(0.99, elapsed / EXPORT_MS),
    stage: elapsed < EXPORT_MS * 0.85 ? 'reading footage' : 'finishing the file',
    result: state === 'done' ? result : null,
    error: state === 'failed' ? failure : null,
    created_at: iso(created),
    started_at: iso(created + 400),
    finished_at: isDone ? iso(created + EXPORT_MS) : null,
    expires_at: isDone ? iso(created + 86_400_000) : null,
  };
}

/** Handles the requests for jobs, playlists, segments, protections and exports; false for other requests. */
export function answerPlayback({ request, response, url, resource, rest, body, cameras, footageOf, tools }) {
  const { send, refuse } = tools;
  const query = Object.fromEntries(url.searchParams);
  if (resource === 'jobs') {
    const job = jobs.find(({ number }) => String(number) === rest[0]);
    if (rest.length === 0)
      return (
        send(
          response,
          200,
          jobs
            .filter(
              ({ device, kind }) =>
                (!query.device_id || device.id === query.device_id) && (!query.kind || kind === query.kind),
            )
            .map(jobView)
            .reverse(),
        ),
        true
      );
    if (!job) return (refuse(response, 404, `there is no job '${rest[0]}'`, {}, 'not_found'), true);
    if (rest[1] === 'cancel') job.cancelledAt = Date.now();
    if (request.method === 'DELETE') {
      jobs.splice(jobs.indexOf(job), 1);
      return (send(response, 204), true);
    }
    return (send(response, rest[1] === 'cancel' ? 202 : 200, jobView(job)), true);
  }
  const camera = cameras.find(({ device }) => device.id === rest[1]);
  if (resource !== 'recordings' || rest[0] !== 'devices' || !camera) return false;
  const footage = footageOf(camera);
  const [action, name] = rest.slice(2);
  if (action === 'segments') {
    const bytes = segmentOf(Number.parseInt(name, 10));
    const range = /bytes=(\d+)-(\d+)?/.exec(request.headers.range ?? '');
    const [from, to] = range
      ? [Number(range[1]), Math.min(bytes.length - 1, Number(range[2] ?? bytes.length - 1))]
      : [0, bytes.length - 1];
    response.writeHead(range ? 206 : 200, {
      'Content-Type': 'video/mp4',
      'Content-Range': `bytes ${from}-${to}/${bytes.length}`,
      'Content-Length': to - from + 1,
    });
    return (response.end(bytes.subarray(from, to + 1)), true);
  }
  const [fromMs, toMs] = [Date.parse(query.start), Date.parse(query.end)];
  if (action === 'playlist') {
    const now = Date.now();
    const live = { spans: [{ start: now - MINUTE, end: now - 1_500 }] };
    const text = query.start
      ? footage && playlist(footage, fromMs, Math.min(toMs, now))
      : playlist(live, now - 16_000, now, true);
    if (text) {
      response.writeHead(200, { 'Content-Type': 'application/vnd.apple.mpegurl' });
      return (response.end(text), true);
    }
    const before = footage?.spans.findLast(({ end }) => end <= fromMs + FRAGMENT);
    const after = footage?.spans.find(({ start }) => start >= toMs);
    const errors = {
      ...(before ? { nearest_before: [iso(before.end)] } : {}),
      ...(after ? { nearest_after: [iso(after.start)] } : {}),
    };
    return (
      refuse(
        response,
        404,
        footage ? 'nothing is recorded in this range' : 'nothing is recorded of this camera',
        errors,
        'no_footage',
      ),
      true
    );
  }
  if (action === 'footage') {
    const seconds = footage ? fragmentsIn(footage, fromMs, toMs).length * 2 : 0;
    return (
      send(response, 202, {
        segments: Math.floor(seconds / 60),
        bytes: seconds * 500_000,
        seconds,
        kept_protected: seconds > 3_000 ? 20 : 0,
      }),
      true
    );
  }
  if (action === 'protections' && request.method === 'POST') {
    const protection = { id: Date.now(), start: body.start, end: body.end, kind: 'hold', note: body.note };
    footage?.protections.push(protection);
    return (send(response, 201, protection), true);
  }
  if (action === 'protections') return (send(response, 200, footage?.protections ?? []), true);
  if (action === 'export') {
    const job = buildJob(camera, body);
    if (body.cut === 'exact' && camera.device.id.endsWith('6'))
      job.failure = {
        code: 'disk_full',
        message: 'the disk for exports is full',
        remedy: 'remove old exports or free some space',
      };
    jobs.push(job);
    return (send(response, 202, jobView(job), { Location: `/api/v1/jobs/${job.number}` }), true);
  }
  return false;
}
