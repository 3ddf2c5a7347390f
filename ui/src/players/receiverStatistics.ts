// Computes the live statistics from two consecutive WebRTC statistics reports.

export interface LiveStats {
  fps: number | null;
  bitrateKbps: number | null;
  width: number | null;
  height: number | null;
  codec: string | null;
  /** Mean delay in the jitter buffer over the last interval. */
  jitterBufferMs: number | null;
  roundTripMs: number | null;
  /** Jitter buffer plus half a round trip; the delay of camera and FFmpeg cannot be measured in the browser. */
  estimatedLatencyMs: number | null;
  packetsLost: number;
  framesDropped: number;
  freezes: number;
  protocol: string | null;
}

/** The values of one report, kept to be compared with the next. */
export interface ReceiverSample {
  at: number;
  bytes: number;
  frames: number;
  jitterBufferSeconds: number;
  jitterBufferFrames: number;
  statistics: LiveStats;
}

type Report = Iterable<[string, unknown]>;
type Row = Record<string, unknown>;

function number(row: Row | undefined, key: string): number | null {
  const value = row?.[key];
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

/** Reads a report. Without `previous`, rates are null. Returns null when the report has no video yet. */
export function readReceiver(report: Report, previous: ReceiverSample | null): ReceiverSample | null {
  const rows = new Map<string, Row>();
  let inbound: Row | undefined;
  let pair: Row | undefined;
  for (const [id, value] of report) {
    const row = value as Row;
    rows.set(id, row);
    if (row.type === 'inbound-rtp' && row.kind === 'video') inbound = row;
    if (row.type === 'candidate-pair' && row.nominated === true && row.state === 'succeeded') pair = row;
  }
  if (!inbound) return null;

  const sample = {
    at: number(inbound, 'timestamp') ?? 0,
    bytes: number(inbound, 'bytesReceived') ?? 0,
    frames: number(inbound, 'framesDecoded') ?? 0,
    jitterBufferSeconds: number(inbound, 'jitterBufferDelay') ?? 0,
    jitterBufferFrames: number(inbound, 'jitterBufferEmittedCount') ?? 0,
  };
  // A smaller count than before belongs to another transport: nothing to compare with.
  const before = previous && previous.bytes <= sample.bytes && previous.at < sample.at ? previous : null;
  const seconds = before ? (sample.at - before.at) / 1000 : 0;
  const emitted = sample.jitterBufferFrames - (before?.jitterBufferFrames ?? 0);
  const jitterBufferMs =
    emitted > 0 ? ((sample.jitterBufferSeconds - (before?.jitterBufferSeconds ?? 0)) / emitted) * 1000 : null;
  const roundTrip = number(pair, 'currentRoundTripTime');
  const roundTripMs = roundTrip === null ? null : roundTrip * 1000;
  const codec = rows.get(String(inbound.codecId))?.mimeType;
  const local = rows.get(String(pair?.localCandidateId));

  return {
    ...sample,
    statistics: {
      fps: before ? (sample.frames - before.frames) / seconds : number(inbound, 'framesPerSecond'),
      bitrateKbps: before ? ((sample.bytes - before.bytes) * 8) / seconds / 1000 : null,
      width: number(inbound, 'frameWidth'),
      height: number(inbound, 'frameHeight'),
      codec: typeof codec === 'string' ? codec.replace(/^video\//i, '') : null,
      jitterBufferMs,
      roundTripMs,
      estimatedLatencyMs: jitterBufferMs === null || roundTripMs === null ? null : jitterBufferMs + roundTripMs / 2,
      packetsLost: Math.max(0, number(inbound, 'packetsLost') ?? 0),
      framesDropped: number(inbound, 'framesDropped') ?? 0,
      freezes: number(inbound, 'freezeCount') ?? 0,
      protocol: typeof local?.protocol === 'string' ? local.protocol.toUpperCase() : null,
    },
  };
}
