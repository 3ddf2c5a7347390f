/** What the Routers speak: H.264 and Opus, and how a camera's tracks are declared to them. */

import crypto from 'node:crypto';

/** Payload types that FFmpeg sends to us. */
export const INGEST_PAYLOAD_TYPES = { video: 101, audio: 100 };

const H264_PARAMETERS = { 'packetization-mode': 1, 'level-asymmetry-allowed': 1 };
/** Constrained Baseline 3.1: what every browser offers. The camera's real profile may be higher, browsers decode it. */
export const DECLARED_PROFILE = '42e01f';

const h264 = (profile, preferredPayloadType) => ({
  kind: 'video',
  mimeType: 'video/H264',
  clockRate: 90_000,
  ...(preferredPayloadType ? { preferredPayloadType } : {}),
  parameters: { ...H264_PARAMETERS, 'profile-level-id': profile },
});

const opus = (preferredPayloadType) => ({
  kind: 'audio',
  mimeType: 'audio/opus',
  clockRate: 48_000,
  channels: 2,
  ...(preferredPayloadType ? { preferredPayloadType } : {}),
});

/**
 * The payload types of a device's own Router: those Chromium offers first for these codecs, so that its WHEP
 * offers are served without a piped Router (PipedRouter.js).
 */
export const ROUTER_PAYLOAD_TYPES = { video: 108, audio: 111 };

export const ROUTER_CODECS = [
  h264(DECLARED_PROFILE, ROUTER_PAYLOAD_TYPES.video),
  h264('4d0032'),
  h264('640032'),
  opus(ROUTER_PAYLOAD_TYPES.audio),
];

/**
 * The codecs of a Router with given payload types. Opus stands first: a Router gives H.264's RTX the first
 * payload type that is still free.
 *
 * @param {{video: number, audio: number|null}} payloadTypes
 */
export function codecsWith(payloadTypes) {
  const codecs = [h264(DECLARED_PROFILE, payloadTypes.video)];
  return payloadTypes.audio === null ? codecs : [opus(payloadTypes.audio), ...codecs];
}

/**
 * The SSRC of a device's track: the same after every restart of either side, and never the same for both kinds.
 *
 * @param {string} deviceId
 * @param {'video'|'audio'} kind
 */
export function deriveSsrc(deviceId, kind) {
  const word = crypto.createHash('sha256').update(`${deviceId} ${kind}`).digest().readUInt32BE(0);
  // The lowest bit tells the kinds apart; 0 is no SSRC, and FFmpeg's option takes a signed 32-bit number.
  return ((word & 0x7ffffffe) | (kind === 'audio' ? 1 : 0)) >>> 0 || 2;
}

/**
 * How a track is declared to its Producer. One cname for both kinds, or players do not keep them in step.
 *
 * @param {string} deviceId
 * @param {'video'|'audio'} kind
 */
export function buildProducerParameters(deviceId, kind) {
  const codec =
    kind === 'video'
      ? {
          mimeType: 'video/H264',
          clockRate: 90_000,
          parameters: { ...H264_PARAMETERS, 'profile-level-id': DECLARED_PROFILE },
        }
      : { mimeType: 'audio/opus', clockRate: 48_000, channels: 2, parameters: { 'sprop-stereo': 1 } };
  return {
    // FFmpeg answers neither NACK nor PLI: nothing is asked of it.
    codecs: [{ ...codec, payloadType: INGEST_PAYLOAD_TYPES[kind], rtcpFeedback: [] }],
    encodings: [{ ssrc: deriveSsrc(deviceId, kind) }],
    rtcp: { cname: `vas-${crypto.createHash('sha256').update(deviceId).digest('hex').slice(0, 16)}` },
  };
}
