// Fake cameras for screenshots and for UI work without a server: every state, long and empty texts.

const PLACES = [
  'Loading dock',
  'Main gate',
  'Car park, level 2',
  'Reception',
  'Server room',
  'Warehouse aisle 7',
  'Roof, east',
  'Staircase B',
];
const TAGS = ['outdoor', 'indoor', 'ptz', 'perimeter', 'safety', 'entrance'];
const REASONS = {
  unauthorized: { message: 'the camera refused the user name or password', remedy: 'correct them under Edit' },
  unreachable: {
    message: "no route to '192.168.7.40'",
    remedy: 'check that the camera has power and is in this network',
  },
  stalled: { message: 'no video for 10 s although the connection stands', remedy: null },
  requested: { message: 'stopped on request', remedy: null },
  not_found: { message: "the camera has no stream at '/live/ch9'", remedy: "look up the path in the camera's manual" },
};
const LONG_NAME =
  'North-western perimeter fence between gate 14 and the old substation, thermal camera on the second mast (replaces PTZ-0087-B, warranty until 2029)';

const reason = (code) => ({ code, ...REASONS[code] });
const uuid = (number) => `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;

export function buildCamera(number, change = {}) {
  const state = change.observed ?? 'running';
  const isRunning = state === 'running';
  const now = Date.now();
  const hasSmallVideo = number % 4 === 3;
  const isReencoded = number % 6 === 4;
  const device = {
    id: uuid(number),
    name: `${PLACES[number % PLACES.length]}${number >= PLACES.length ? ` ${Math.floor(number / PLACES.length) + 1}` : ''}`,
    source_url: `rtsp://***@192.168.7.${10 + number}/stream1`,
    sub_source_url: null,
    transport: 'tcp',
    tls_trust: 'verify',
    tls_fingerprint: null,
    description: number % 3 === 0 ? 'Faces the ramp. Cleaned every first Monday.' : '',
    location: `Building ${1 + (number % 3)}`,
    tags: TAGS.filter((_, index) => (number + index) % 3 === 0),
    start_mode: ['always', 'always', 'on_demand', 'manual'][number % 4],
    idle_seconds: 60,
    enabled: true,
    state,
    desired: state === 'stopped' ? 'stopped' : 'running',
    recording: { mode: 'continuous', observed: isRunning ? 'recording' : 'waiting' },
    has_credentials: true,
    created_at: new Date(now - 86_400_000 * (number + 1)).toISOString(),
    updated_at: new Date(now - 3_600_000 * (number + 1)).toISOString(),
    ...change.device,
  };
  const stream = {
    device_id: device.id,
    device_name: device.name,
    desired: device.desired,
    observed: state,
    reason: change.reason ? reason(change.reason) : null,
    since: new Date(now - 1_000_000 * (number + 1)).toISOString(),
    run: isRunning ? 41 + number : null,
    restarts: number % 5,
    video: isRunning
      ? {
          codec: isReencoded ? 'hevc' : 'h264',
          profile: 'High',
          width: hasSmallVideo ? 1280 : 1920,
          height: hasSmallVideo ? 720 : 1080,
          fps: 25,
          has_b_frames: false,
          key_frame_interval_seconds: 2,
        }
      : null,
    audio: isRunning && number % 2 ? { codec: 'aac', sample_rate: 16000, channels: 1 } : null,
    fps: isRunning ? 24.97 : null,
    bitrate_kbps: isRunning ? 1800 + ((number * 977) % 4200) : null,
    last_part_age_ms: isRunning ? 320 : null,
    viewers: isRunning ? number % 4 : 0,
    outputs: isRunning ? [{ name: 'mediasoup_webrtc', mode: isReencoded ? 'transcode' : 'copy', reason: null }] : [],
    is_reencoded: isRunning && isReencoded,
    reencode_reason: isRunning && isReencoded ? 'browsers cannot play H.265 over WebRTC' : null,
    notes: change.notes ?? [],
    transport: isRunning ? 'tcp' : null,
    camera_server: isRunning ? 'Hipcam RealServer/V1.0' : null,
    login: isRunning ? 'digest SHA-256' : null,
    clock_rate: isRunning ? 1.0004 : null,
    lost_packets: isRunning ? (number * 7) % 19 : null,
    ffmpeg_restarts: isRunning ? 0 : null,
    recording: device.recording,
    worker: 'host:812',
  };
  const hasCaptures = number % 3 === 0;
  const captureEvent = (id, at, kind, text, reference, by_name) => ({
    id,
    at: new Date(at).toISOString(),
    kind,
    from: null,
    to: null,
    reason: null,
    run: null,
    text,
    reference,
    by_name,
  });
  const captures = [
    captureEvent(
      6,
      now - 60_000,
      'clip',
      "the clip of 'Delivery at the ramp' is ready",
      '00000000-0000-4000-9000-000000000004',
      null,
    ),
    captureEvent(
      5,
      now - 72_000,
      'bookmark',
      "'Delivery at the ramp' was bookmarked",
      '00000000-0000-4000-9000-000000000004',
      'operator',
    ),
    captureEvent(
      4,
      now - 400_000,
      'snapshot',
      'a snapshot was taken',
      '00000000-0000-4000-a000-000000000001',
      'Night watch',
    ),
  ];
  const events = [
    ...(hasCaptures ? captures : []),
    { id: 3, kind: 'state', at: stream.since, from: 'starting', to: state, reason: stream.reason, run: stream.run },
    {
      id: 2,
      kind: 'state',
      at: new Date(now - 1_000_000 * (number + 1) - 2_200).toISOString(),
      from: 'stopped',
      to: 'starting',
      reason: reason('requested'),
      run: null,
    },
    { id: 1, kind: 'state', at: device.created_at, from: null, to: 'stopped', reason: null, run: null },
  ];
  return { device, stream, events, etag: `"${number}-1"` };
}

/** 0, 1 or 30 cameras; the 30 include every state and a very long name. */
export function buildCameras(count) {
  const special = {
    2: { observed: 'failed', reason: 'unauthorized' },
    5: { observed: 'reconnecting', reason: 'unreachable' },
    7: { device: { name: LONG_NAME, location: 'Utility corridor behind the old substation', tags: [...TAGS] } },
    9: { observed: 'stopped', reason: 'requested' },
    11: { observed: 'starting' },
    13: { observed: 'reconnecting', reason: 'stalled' },
    16: { observed: 'stopped', device: { enabled: false } },
    21: { observed: 'failed', reason: 'not_found' },
  };
  return Array.from({ length: count }, (_, number) => buildCamera(number, count > 1 ? special[number] : {}));
}
