// Serves ui/dist and a fake REST API in memory, for screenshots and for UI work without a server. Its SFU
// responds to every join with "no video yet", so players show their preview and then wait.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WebSocketServer } from 'ws';
import { buildCamera, buildCameras } from './cameras.mjs';
import { buildReasonCameras } from './reasonCameras.mjs';
import { answerBookmarks } from './bookmarks.mjs';
import { answerEvents } from './events.mjs';
import { answerNotifications } from './notifications.mjs';
import { answerPanels, PANELS } from './panels.mjs';
import { answerPluginOptions } from './pluginOptions.mjs';
import { answerPlayback, startFakeJob } from './playback.mjs';
import { answerRecordings, recordingOf } from './recordings.mjs';
import { answerSnapshots } from './snapshots.mjs';
import { answerSchedules } from './schedules.mjs';

const DIST = process.env.VAS_UI_DIST ?? fileURLToPath(new URL('../../dist', import.meta.url));
const TYPES = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
};

/** Footage as on the media bus: an init segment and parts that begin an hour into the run. */
function makeFootage() {
  const folder = mkdtempSync(join(tmpdir(), 'vas-fake-'));
  const file = join(folder, 'footage.mp4');
  const source = 'testsrc2=size=1280x720:rate=25:duration=4';
  const args = [
    '-v',
    'error',
    '-f',
    'lavfi',
    '-i',
    source,
    '-c:v',
    'libx264',
    '-preset',
    'ultrafast',
    '-g',
    '100',
    '-pix_fmt',
    'yuv420p',
  ];
  const muxing = [
    '-output_ts_offset',
    '3600',
    '-movflags',
    '+empty_moov+default_base_moof+frag_keyframe',
    '-frag_duration',
    '500000',
    '-f',
    'mp4',
    file,
  ];
  execFileSync('ffmpeg', [...args, ...muxing]);
  const footage = readFileSync(file);
  rmSync(folder, { recursive: true });
  return footage;
}

const REASON_BY_HOST = {
  refused: {
    code: 'refused',
    message: "'refused' refuses connections on port 554",
    remedy: 'enable RTSP in the camera, or correct the port',
  },
};

const CERTIFICATE = {
  fingerprint: '3f9a07c1d2e45b6088aa17c3f0e1d2b49c5a6b7788990a1b2c3d4e5f60718293',
  subject: 'CN=IPC-HDW2431T,O=Camera Works',
  issuer: 'CN=IPC-HDW2431T,O=Camera Works',
  expires: '2035-02-28T12:00:00Z',
};

const UNTRUSTED = {
  code: 'tls_untrusted',
  message: "the camera's certificate is not signed by a known authority",
  remedy: "trust this certificate by its fingerprint, or any certificate, in the device's settings",
};

function probe(url) {
  if (url.startsWith('rtsps:')) {
    const nothing = { time_to_first_frame_ms: null, video: null, audio: null, tracks: [], advice: [] };
    return { reachable: false, reason: UNTRUSTED, elapsed_ms: 96, ...nothing, tls: CERTIFICATE };
  }
  const host = new URL(url.replace('***', 'x')).hostname;
  const failed = REASON_BY_HOST[host];
  if (failed) {
    return {
      reachable: false,
      reason: failed,
      elapsed_ms: 212,
      time_to_first_frame_ms: null,
      video: null,
      audio: null,
      tracks: [],
      advice: [],
    };
  }
  return {
    reachable: true,
    reason: null,
    elapsed_ms: 1480,
    time_to_first_frame_ms: 640,
    video: {
      codec: 'h264',
      profile: 'High',
      width: 1920,
      height: 1080,
      fps: 25,
      has_b_frames: true,
      key_frame_interval_seconds: 4,
      bitrate_kbps: 4100,
      pixel_format: 'yuvj420p',
    },
    audio: { codec: 'aac', sample_rate: 16000, channels: 1 },
    tracks: [
      { index: 0, type: 'video', codec: 'h264' },
      { index: 1, type: 'audio', codec: 'aac' },
    ],
    advice: [
      {
        level: 'warning',
        code: 'b_frames',
        message:
          'the camera sends B-frames, which browsers cannot play live: the picture will be re-encoded; switch them off in the camera, or give a sub-stream',
      },
      {
        level: 'info',
        code: 'long_gop',
        message: 'a key frame every 4 s delays the first live picture; 1 s is better',
      },
    ],
  };
}

const HEALTH = {
  status: 'degraded',
  version: '0.1.0',
  components: {
    database: {
      status: 'ok',
      latency_ms: 0.8,
      reason: null,
      remedy: null,
      detail: { kind: 'sqlite', migration: '0001_initial' },
    },
    redis: { status: 'ok', latency_ms: 0.4, reason: null, remedy: null, detail: { used_memory_bytes: 8_412_000 } },
    media_bus: {
      status: 'ok',
      latency_ms: 0.5,
      reason: null,
      remedy: null,
      detail: { streams: 28, bytes: 212_000_000 },
    },
    sfu: {
      status: 'ok',
      latency_ms: 2.1,
      reason: null,
      remedy: null,
      detail: { version: '0.1.0', mediasoup: '3.19.3', worker_origin: 'built', workers: 2, viewers: 14 },
    },
    stream_slots: {
      status: 'ok',
      latency_ms: null,
      reason: null,
      remedy: null,
      detail: { total: 32, used: 28, free: 4 },
    },
    snapshot_slots: {
      status: 'ok',
      latency_ms: null,
      reason: null,
      remedy: null,
      detail: { total: 4, used: 0, free: 4 },
    },
    captures: {
      status: 'ok',
      latency_ms: null,
      reason: null,
      remedy: null,
      detail: { free_bytes: 212_000_000_000, free_percent: 61 },
    },
    disk: {
      status: 'degraded',
      latency_ms: null,
      reason: "only 4.1 GB are free under 'var'",
      remedy: 'free some space or move VAS to a larger disk',
      detail: { free_bytes: 4_100_000_000, free_percent: 4 },
    },
  },
};

const PLUGINS = [
  {
    name: 'mediasoup_webrtc',
    package: 'video-aggregation-service',
    version: '0.1.0',
    hooks: ['register_options', 'register_direct_outputs', 'register_blueprints', 'on_stream_state'],
    description: 'Live video to browsers over WebRTC.',
    options: ['device'],
    options_fault: null,
    state: 'running',
    reason: null,
    remedy: null,
  },
  {
    name: 'picture_analysis',
    package: 'video-aggregation-service',
    version: '0.1.0',
    hooks: ['register_options', 'register_detectors'],
    description: 'Motion and objects as events with boxes, zones and masks.',
    options: ['installation', 'device'],
    options_fault: null,
    state: 'running',
    reason: null,
    remedy: null,
  },
  {
    name: 'door_notes',
    package: 'vas-door-notes',
    version: '1.2',
    hooks: ['register_jobs', 'register_schedules', 'register_services'],
    description: 'Notes about doors.',
    options: [],
    options_fault: "its schema DoorOptions cannot be used: KeyError: 'volume'",
    state: 'running',
    reason: null,
    remedy: null,
  },
  {
    name: 'ai_analytics',
    package: 'video-aggregation-service',
    version: '0.1.0',
    hooks: ['register_options', 'register_metrics', 'register_panels'],
    description: 'Analysis of pictures: motion, and objects by detectors, as events with boxes.',
    options: ['installation', 'device'],
    options_fault: null,
  },
].map((plugin) => ({ ...plugin, state: 'running', reason: null, panels: PANELS[plugin.name] ?? [] }));

const PLUGIN_WORK = {
  jobs: [{ kind: 'door_notes.copy', title: 'Copy notes' }],
  schedules: [
    {
      name: 'tidy',
      every_seconds: 3600,
      is_running: false,
      started_at: '2026-11-30T10:00:00Z',
      next_at: '2026-11-30T11:00:00Z',
      error: null,
    },
  ],
  services: [
    {
      name: 'send',
      state: 'pausing',
      since: '2026-11-30T10:00:00Z',
      restarts: 3,
      error: 'ConnectionRefusedError: nothing listens at 192.0.2.8:1883',
      cpu_percent: null,
      memory_bytes: null,
    },
    {
      name: 'listen',
      state: 'running',
      since: '2026-11-30T10:00:00Z',
      restarts: 0,
      error: null,
      cpu_percent: 0.4,
      memory_bytes: 61_000_000,
    },
  ],
  tables: ['door_notes_list'],
  folder_bytes: 2_400_000,
  work_problems: [
    {
      reason: "its service 'send' has died 3 times in a row: ConnectionRefusedError",
      remedy: 'see the log of the plugins worker; update, mend or uninstall the plugin',
    },
  ],
};

const deletedDevice = ({ device }) => ({
  id: device.id,
  name: device.name,
  deleted_at: new Date(Date.now() - 600_000).toISOString(),
  deleted_by: '192.0.2.7',
  until: new Date(Date.now() + 85_800_000).toISOString(),
  bytes: 146_000_000_000,
});

/** Starts the fake API with `count` cameras. Returns {url, close, setCount, requests}. */
export async function startFakeApi({ port = 0, count = 30, hasFootage = true } = {}) {
  let cameras = buildCameras(count);
  let bin = [];
  const footage = hasFootage ? makeFootage() : null;
  const requests = [];

  const send = (response, status, body, headers = {}) => {
    response.writeHead(status, { 'Content-Type': 'application/json', ...headers });
    response.end(body === undefined ? undefined : JSON.stringify(body));
  };
  const refuse = (response, code, message, errors = {}, reason = null) =>
    send(response, code, { code, status: String(code), message, errors, reason });

  const page = (url, items) => {
    const size = Number(url.searchParams.get('page_size') ?? 25);
    const number = Number(url.searchParams.get('page') ?? 1);
    const pages = Math.ceil(items.length / size);
    const header = JSON.stringify({
      total: items.length,
      total_pages: pages,
      page: number,
      first_page: 1,
      last_page: pages,
    });
    return [items.slice((number - 1) * size, number * size), { 'X-Pagination': header }];
  };

  const listDevices = (url) => {
    const { q = '', tag, state, sort = 'name' } = Object.fromEntries(url.searchParams);
    const field = sort.replace('-', '');
    return cameras
      .map((camera) => camera.device)
      .filter(
        (device) =>
          device.name.toLowerCase().includes(q.toLowerCase()) &&
          (!tag || device.tags.includes(tag)) &&
          (!state || device.state === state),
      )
      .sort((a, b) => String(a[field]).localeCompare(String(b[field])) * (sort.startsWith('-') ? -1 : 1));
  };

  const handle = (request, response, body) => {
    const url = new URL(request.url, 'http://fake');
    const [, resource, ...rest] = url.pathname.replace('/api/v1', '').split('/');
    requests.push(`${request.method} ${url.pathname}`);
    const options = answerPluginOptions([resource, ...rest].map(decodeURIComponent));
    if (options !== undefined) return send(response, 200, options, { ETag: '"7.fa6e"' });
    const panel = answerPanels([resource, ...rest]);
    if (panel !== undefined) {
      const [content, type] = panel;
      response.writeHead(content === 404 ? 404 : 200, { 'Content-Type': type ?? 'text/plain' });
      return response.end(content === 404 ? '' : content);
    }
    if (resource === 'health') return send(response, 200, HEALTH);
    if (resource === 'plugins' && rest[0])
      return send(response, 200, { ...PLUGINS.find(({ name }) => name === rest[0]), ...PLUGIN_WORK });
    if (resource === 'plugins') return send(response, 200, PLUGINS);
    if (resource === 'devices' && rest[0] === 'probe')
      return setTimeout(() => send(response, 200, probe(body.source_url)), 300);
    if (resource === 'devices' && rest[0] === 'deleted') {
      if (request.method === 'GET') return send(response, 200, bin.map(deletedDevice));
      bin = bin.filter(({ device }) => device.id !== rest[1]);
      return send(response, 204);
    }
    if (resource === 'devices' && rest[1] === 'restore') {
      const restored = bin.find(({ device }) => device.id === rest[0]);
      if (!restored) return refuse(response, 404, `there is no device '${rest[0]}'`, {}, 'not_found');
      bin = bin.filter((other) => other !== restored);
      cameras.push(restored);
      return send(response, 200, restored.device);
    }
    if (resource === 'devices' && rest.length === 0 && request.method === 'GET')
      return send(response, 200, ...page(url, listDevices(url)));
    if (resource === 'devices' && rest.length === 0) {
      if (cameras.some(({ device }) => device.name === body.name)) {
        return refuse(response, 422, 'the device is not valid', {
          json: { name: [`'name' is taken by another device`] },
        });
      }
      const camera = buildCamera(cameras.length + 100, { device: body });
      cameras.push(camera);
      return send(response, 201, camera.device, { ETag: camera.etag });
    }
    const tools = { send, refuse, page };
    if (answerEvents({ response, url, resource, rest, cameras, tools })) return undefined;
    if (answerSnapshots({ request, response, url, resource, rest, body, cameras, tools })) return undefined;
    if (resource === 'recordings' && answerRecordings({ request, response, url, rest, body, cameras, tools }))
      return undefined;
    const footageOf = (camera) => recordingOf(camera).footage;
    if (answerPlayback({ request, response, url, resource, rest, body, cameras, footageOf, tools })) return undefined;
    if (resource === 'bookmarks' && answerBookmarks({ request, response, url, rest, body, cameras, footageOf, tools }))
      return undefined;
    if (resource === 'notifications') return answerNotifications({ request, response, url, rest, cameras, tools });
    const startJob = (...parameters) => startFakeJob(tools, ...parameters);
    if (resource === 'snapshots' && answerSchedules({ request, response, url, rest, body, cameras, startJob, tools }))
      return undefined;
    if (resource === 'streams' && rest.length === 0)
      return send(
        response,
        200,
        ...page(
          url,
          cameras.map(({ stream }) => stream),
        ),
      );

    const id = resource === 'rtsp' ? rest[1] : rest[0];
    const camera = cameras.find(({ device }) => device.id === id);
    if (!camera) return refuse(response, 404, `there is no device '${id}'`, {}, 'not_found');
    if (resource === 'rtsp') {
      if (rest[2] === 'try-now') return send(response, 202, camera.stream);
      const isStart = rest[2] === 'start';
      camera.device.desired = camera.stream.desired = isStart ? 'running' : 'stopped';
      camera.device.state = camera.stream.observed = isStart ? 'running' : 'stopped';
      return send(response, 202, camera.stream);
    }
    if (resource === 'devices' && rest[1] === 'events') return send(response, 200, ...page(url, camera.events));
    if (resource === 'devices' && request.method === 'GET')
      return send(response, 200, camera.device, { ETag: camera.etag });
    if (resource === 'devices' && request.method === 'PUT') {
      if (request.headers['if-match'] && request.headers['if-match'] !== camera.etag)
        return refuse(response, 412, 'the device has changed');
      Object.assign(camera.device, body);
      camera.etag = `"${Date.now()}"`;
      return send(response, 200, camera.device, { ETag: camera.etag });
    }
    if (resource === 'devices') {
      cameras = cameras.filter((other) => other !== camera);
      bin.push(camera);
      return send(response, 204);
    }
    if (rest[1] === 'latest.mp4') {
      if (!footage || camera.stream.observed !== 'running')
        return refuse(response, 404, 'no footage yet', {}, 'no_footage');
      response.writeHead(200, { 'Content-Type': 'video/mp4' });
      return response.end(footage);
    }
    if (rest[1] === 'viewers') {
      if (camera.stream.desired === 'stopped')
        return refuse(response, 409, 'the stream is stopped', {}, 'stream_stopped');
      const base = `127.0.0.1:${server.address().port}`;
      return send(response, 201, {
        token: 'fake',
        expires_at: new Date(Date.now() + 60_000).toISOString(),
        device_id: id,
        signaling_url: `ws://${base}/signaling`,
        whep_url: `http://${base}/whep/${id}`,
        ice_servers: [],
      });
    }
    return send(response, 200, camera.stream);
  };

  const server = createServer((request, response) => {
    if (request.url.startsWith('/api/')) {
      const chunks = [];
      request.on('data', (chunk) => chunks.push(chunk));
      request.on('end', () => handle(request, response, chunks.length ? JSON.parse(Buffer.concat(chunks)) : undefined));
      return;
    }
    const path = normalize(join(DIST, new URL(request.url, 'http://fake').pathname));
    const file = path.startsWith(DIST) && extname(path) && existsSync(path) ? path : join(DIST, 'index.html');
    response.writeHead(200, { 'Content-Type': TYPES[extname(file)] ?? 'application/octet-stream' });
    response.end(readFileSync(file));
  });

  const sockets = new WebSocketServer({ server, path: '/signaling' });
  sockets.on('connection', (socket) => {
    socket.on('message', (text) => {
      const { id, method } = JSON.parse(text);
      const data = method === 'join' ? { device_id: 'fake', available: false } : {};
      socket.send(JSON.stringify({ id, ok: true, data }));
    });
  });

  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    requests,
    setCount: (number) => {
      cameras = number === 'reasons' ? buildReasonCameras() : buildCameras(number);
    },
    close: () => {
      sockets.close();
      for (const socket of sockets.clients) socket.terminate();
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const fake = await startFakeApi({ port: 8000, count: Number(process.argv[2] ?? 30) });
  process.stdout.write(`fake API and the built UI at ${fake.url}\n`);
}
