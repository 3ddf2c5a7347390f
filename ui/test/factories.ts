// Devices and streams for tests.
import type { Device, Stream } from '../src/api/types';

export function buildDevice(change: Partial<Device> = {}): Device {
  return {
    id: 'd1',
    name: 'Main gate',
    source_url: 'rtsp://***@10.0.0.1/main',
    sub_source_url: null,
    transport: 'tcp',
    tls_trust: 'verify',
    tls_fingerprint: null,
    description: '',
    location: 'North',
    tags: ['gate'],
    start_mode: 'always',
    idle_seconds: 60,
    enabled: true,
    state: 'running',
    desired: 'running',
    recording: { mode: 'continuous', observed: 'recording' },
    has_credentials: true,
    created_at: '2026-01-02T03:04:05Z',
    updated_at: '2026-01-02T03:04:05Z',
    ...change,
  };
}

export function buildStream(change: Partial<Stream> = {}): Stream {
  return {
    device_id: 'd1',
    device_name: 'Main gate',
    desired: 'running',
    observed: 'running',
    reason: null,
    since: '2026-01-02T03:04:05Z',
    run: 3,
    restarts: 0,
    video: {
      codec: 'h264',
      profile: 'High',
      width: 1920,
      height: 1080,
      fps: 25,
      has_b_frames: false,
      key_frame_interval_seconds: 1,
    },
    audio: null,
    fps: 25,
    bitrate_kbps: 4012,
    last_part_age_ms: 200,
    viewers: 2,
    outputs: [],
    is_reencoded: false,
    reencode_reason: null,
    notes: [],
    transport: 'tcp',
    camera_server: null,
    login: 'digest MD5',
    clock_rate: 1,
    lost_packets: 0,
    ffmpeg_restarts: 0,
    camera_sessions: 1,
    recording: { mode: 'continuous', observed: 'recording' },
    worker: null,
    ...change,
  };
}
