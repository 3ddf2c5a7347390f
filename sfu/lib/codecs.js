/** Codecs of the Routers (H.264, Opus and G.711), and the RTP parameters of a camera's tracks. */

import crypto from 'node:crypto';

/** Payload types that stream workers send to us. */
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

/** Codecs of sound by the names of the control API. */
const AUDIO = {
  opus: { mimeType: 'audio/opus', clockRate: 48_000, channels: 2 },
  pcma: { mimeType: 'audio/PCMA', clockRate: 8_000 },
  pcmu: { mimeType: 'audio/PCMU', clockRate: 8_000 },
};
export const AUDIO_CODECS = Object.keys(AUDIO);

const audio = (codec, preferredPayloadType) => ({ kind: 'audio', ...AUDIO[codec], preferredPayloadType });

/**
 * Payload types of a device's own Router: those that Chromium offers first for these codecs, so that its WHEP offers
 * are served without a piped Router (PipedRouter.js). Those of G.711 are static (RFC 3551).
 */
export const ROUTER_PAYLOAD_TYPES = { video: 108, opus: 111, pcma: 8, pcmu: 0 };

export const ROUTER_CODECS = [
  h264(DECLARED_PROFILE, ROUTER_PAYLOAD_TYPES.video),
  h264('4d0032'),
  h264('640032'),
  ...AUDIO_CODECS.map((codec) => audio(codec, ROUTER_PAYLOAD_TYPES[codec])),
];

/**
 * Build the codecs of a Router with given payload types. Sound comes first, because a Router assigns the first payload
 * type that is still free to H.264's RTX.
 *
 * @param {{video: number, audio: number|null, audioCodec: string|null}} payloadTypes
 */
export function buildRouterCodecs(payloadTypes) {
  const codecs = [h264(DECLARED_PROFILE, payloadTypes.video)];
  return payloadTypes.audio === null
    ? codecs
    : [audio(payloadTypes.audioCodec, payloadTypes.audio), ...codecs];
}

/** Build the RTP capability of a player for one codec of sound. */
export const buildAudioCapability = (codec, payloadType, rtcpFeedback) => ({
  ...audio(codec, payloadType),
  rtcpFeedback,
});

/** Return name, rate and channels of a codec of sound as an SDP spells them. */
export function describeAudio(codec) {
  const { mimeType, clockRate, channels } = AUDIO[codec];
  return {
    codec: mimeType.slice('audio/'.length),
    rate: clockRate,
    ...(channels ? { encoding: channels } : {}),
  };
}

/**
 * Derive the SSRC of a device's track: stable across restarts of either side, and different for video and audio.
 *
 * @param {string} deviceId
 * @param {'video'|'audio'} kind
 */
export function deriveSsrc(deviceId, kind) {
  const word = crypto.createHash('sha256').update(`${deviceId} ${kind}`).digest().readUInt32BE(0);
  // The lowest bit distinguishes the kinds; 0 is not a valid SSRC.
  return ((word & 0x7ffffffe) | (kind === 'audio' ? 1 : 0)) >>> 0 || 2;
}

/**
 * Build the RTP parameters of a track's Producer. Players synchronize video and audio because both have one cname.
 *
 * @param {string} deviceId
 * @param {'video'|'audio'} kind
 * @param {string} codec 'h264', or one of AUDIO_CODECS
 */
export function buildProducerParameters(deviceId, kind, codec) {
  const described =
    kind === 'video'
      ? {
          mimeType: 'video/H264',
          clockRate: 90_000,
          parameters: { ...H264_PARAMETERS, 'profile-level-id': DECLARED_PROFILE },
        }
      : { ...AUDIO[codec], ...(codec === 'opus' ? { parameters: { 'sprop-stereo': 1 } } : {}) };
  return {
    // Cameras get no NACK and no PLI, so no feedback is requested.
    codecs: [{ ...described, payloadType: INGEST_PAYLOAD_TYPES[kind], rtcpFeedback: [] }],
    encodings: [{ ssrc: deriveSsrc(deviceId, kind) }],
    rtcp: { cname: `vas-${crypto.createHash('sha256').update(deviceId).digest('hex').slice(0, 16)}` },
  };
}
