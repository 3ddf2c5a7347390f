// The REST API's shapes, as the server documents them at /docs. Times are RFC 3339 in UTC.

export type ObservedState = 'stopped' | 'starting' | 'running' | 'reconnecting' | 'stopping' | 'failed';
export type DesiredState = 'running' | 'stopped';
export type Transport = 'tcp' | 'udp';
export type TlsTrust = 'verify' | 'pinned' | 'any';
export type StartMode = 'always' | 'manual' | 'on_demand';

/** A readable explanation of a state, and its remedy. */
export interface Reason {
  code: string;
  message: string;
  remedy: string | null;
}

/** The editable fields of a device; PUT replaces all of them. */
export interface DeviceFields {
  name: string;
  source_url: string;
  sub_source_url: string | null;
  transport: Transport;
  /** Which certificates of an rtsps camera are trusted; `pinned`: the one with the fingerprint. */
  tls_trust: TlsTrust;
  tls_fingerprint: string | null;
  description: string;
  location: string;
  tags: string[];
  start_mode: StartMode;
  idle_seconds: number;
  enabled: boolean;
}

/** A device's recording, as lists show it. */
export interface RecordingSummary {
  mode: 'off' | 'continuous' | 'scheduled' | 'event';
  observed: 'off' | 'waiting' | 'recording' | 'interrupted';
}

/** A deleted device that can still be restored. */
export interface DeletedDevice {
  id: string;
  name: string;
  deleted_at: string;
  deleted_by: string;
  /** After this time it cannot be restored, and its footage is deleted. */
  until: string;
  bytes: number;
}

export interface Device extends DeviceFields {
  id: string;
  state: ObservedState;
  desired: DesiredState;
  recording: RecordingSummary | null;
  has_credentials: boolean;
  created_at: string;
  updated_at: string;
}

export interface VideoInfo {
  codec: string;
  profile: string | null;
  width: number | null;
  height: number | null;
  fps: number | null;
  has_b_frames: boolean | null;
  key_frame_interval_seconds: number | null;
}

export interface AudioInfo {
  codec: string;
  sample_rate: number | null;
  channels: number | null;
}

export interface StreamOutput {
  name: string;
  plugin: string | null;
  mode: 'copy' | 'sub_stream' | 'transcode' | null;
  state: 'attaching' | 'running' | 'waiting' | 'failed' | 'blocked' | 'set_aside';
  reason: string | null;
  since: string | null;
  lag_seconds: number | null;
}

export interface Stream {
  device_id: string;
  device_name: string;
  desired: DesiredState;
  observed: ObservedState;
  reason: Reason | null;
  since: string | null;
  run: string | number | null;
  restarts: number;
  video: VideoInfo | null;
  audio: AudioInfo | null;
  fps: number | null;
  bitrate_kbps: number | null;
  last_part_age_ms: number | null;
  viewers: number | null;
  outputs: StreamOutput[];
  is_reencoded: boolean;
  reencode_reason: string | null;
  /** What is unusual about the camera's stream, as messages. */
  notes: string[];
  transport: Transport | null;
  camera_server: string | null;
  login: string | null;
  /** Media seconds of the camera's time stamps in a real second. */
  clock_rate: number | null;
  lost_packets: number | null;
  ffmpeg_restarts: number | null;
  camera_sessions: number | null;
  recording: RecordingSummary | null;
  worker: string | null;
}

/** A change of the stream's state (`state`), or an event of another kind, such as `snapshot` or one of a plugin. */
export interface DeviceEvent {
  id: string | number;
  at: string;
  kind: string;
  /** The state of the stream, recorder or job. */
  from: string | null;
  to: string | null;
  label: string | null;
  zone: string | null;
  reason: Reason | null;
  run: string | number | null;
  /** Description of the event; null for most states. */
  text: string | null;
  /** The id of the snapshot, bookmark or job. */
  reference: string | null;
  by_name: string | null;
}

export interface ProbeTrack {
  index: number;
  type: string;
  codec: string;
}

export interface ProbeAdvice {
  level: 'info' | 'warning';
  code: string;
  message: string;
}

export interface ProbeVideo extends VideoInfo {
  bitrate_kbps: number | null;
  pixel_format: string | null;
}

/** The certificate that a camera shows, trusted or not. */
export interface Certificate {
  /** SHA-256. */
  fingerprint: string;
  subject: string | null;
  issuer: string | null;
  expires: string | null;
}

export interface ProbeResult {
  reachable: boolean;
  reason: Reason | null;
  elapsed_ms: number | null;
  time_to_first_frame_ms: number | null;
  video: ProbeVideo | null;
  audio: AudioInfo | null;
  tracks: ProbeTrack[];
  advice: ProbeAdvice[];
  /** A JPEG in base64; null if none could be decoded. */
  picture?: string | null;
  /** Null for a camera without TLS. */
  tls?: Certificate | null;
  notes?: string[];
}

export interface ProbeRequest {
  source_url: string;
  transport?: Transport;
  tls_trust?: TlsTrust;
  tls_fingerprint?: string | null;
  /** Logs in although the camera has refused this login several times. */
  try_now?: boolean;
  /** Lets the server reuse the stored password where the URL has ***. */
  device_id?: string;
}

/** Permission to connect to one device, valid for one minute. */
export interface ViewerGrant {
  token: string;
  expires_at: string;
  device_id: string;
  signaling_url: string;
  whep_url: string;
  ice_servers: RTCIceServer[];
}

export type HealthStatus = 'ok' | 'degraded' | 'down';

export interface HealthComponent {
  status: HealthStatus;
  latency_ms: number | null;
  reason: string | null;
  remedy: string | null;
  detail: Record<string, unknown> | null;
}

export interface Health {
  status: HealthStatus;
  version: string;
  components: Record<string, HealthComponent>;
}

/** A part of a page that a plugin draws. */
export interface PluginPanel {
  name: string;
  title: string;
  place: 'device' | 'system';
  /** The address of its ES module, which changes with the module. */
  url: string;
}

export interface Plugin {
  name: string;
  package: string;
  version: string;
  hooks: string[];
  description: string;
  /** What it has options for. */
  options: ('installation' | 'device')[];
  /** Why its options cannot be used. */
  options_fault: string | null;
  panels: PluginPanel[];
  state: 'running' | 'degraded' | 'set_aside' | 'failed' | 'off';
  reason: string | null;
  remedy: string | null;
}
