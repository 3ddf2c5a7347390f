/** Codecs of the Routers (H.264 and Opus), and the RTP parameters of a camera's tracks. */

import crypto from 'node:crypto';

/** Payload types that FFmpeg sends to us. */
export const INGEST_PAYLOAD_TYPES = { video: 101, audio: 100 };

const H264_PARAMETERS = { 'packetization-mode': 1, 'level-asymmetry-allowed': 1 };
/** Constrained Baseline 3.1, which every browser offers. The camera's profile may be higher; browsers decode it. */
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
 * Payload types of a device's own Router: those that Chromium offers first for these codecs, so that its WHEP offers
 * are served without a piped Router (PipedRouter.js).
 */
export const ROUTER_PAYLOAD_TYPES = { video: 108, audio: 111 };

export const ROUTER_CODECS = [
  h264(DECLARED_PROFILE, ROUTER_PAYLOAD_TYPES.video),
  h264('4d0032'),
  h264('640032'),
  opus(ROUTER_PAYLOAD_TYPES.audio),
];

/**
 * Build the codecs of a Router with given payload types. Opus comes first, because a Router assigns the first payload
 * type that is still free to H.264's RTX.
 *
 * @param {{video: number, audio: number|null}} payloadTypes
 */
export function buildRouterCodecs(payloadTypes) {
  const codecs = [h264(DECLARED_PROFILE, payloadTypes.video)];
  return payloadTypes.audio === null ? codecs : [opus(payloadTypes.audio), ...codecs];
}

/**
 * Derive the SSRC of a device's track: stable across restarts of either side, and different for video and audio.
 *
 * @param {string} deviceId
 * @param {'video'|'audio'} kind
 */
export function deriveSsrc(deviceId, kind) {
  const word = crypto.createHash('sha256').update(`${deviceId} ${kind}`).digest().readUInt32BE(0);
  // The lowest bit distinguishes the kinds; 0 is not a valid SSRC, and FFmpeg's option takes a signed 32-bit number.
  return ((word & 0x7ffffffe) | (kind === 'audio' ? 1 : 0)) >>> 0 || 2;
}

/**
 * Build the RTP parameters of a track's Producer. Players synchronize video and audio because both have one cname.
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
    // FFmpeg answers neither NACK nor PLI, so no feedback is requested.
    codecs: [{ ...codec, payloadType: INGEST_PAYLOAD_TYPES[kind], rtcpFeedback: [] }],
    encodings: [{ ssrc: deriveSsrc(deviceId, kind) }],
    rtcp: { cname: `vas-${crypto.createHash('sha256').update(deviceId).digest('hex').slice(0, 16)}` },
  };
}
