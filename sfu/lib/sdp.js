/** SDP for WHEP: parses a player's offer, and builds the answer of an ICE-lite server that only sends. */

import sdpTransform from 'sdp-transform';
import {
  AUDIO_CODECS,
  buildAudioCapability,
  DECLARED_PROFILE,
  describeAudio,
  ROUTER_PAYLOAD_TYPES,
} from './codecs.js';
import { RequestError } from './errors.js';
import { isFingerprint } from './signaling.js';

const MAX_SECTIONS = 16;
const MID_EXTENSION = 'urn:ietf:params:rtp-hdrext:sdes:mid';
// mediasoup writes at most 8 bytes into the MID header extension.
const MAX_MID_BYTES = 8;
const FEEDBACK = ['nack', 'nack pli', 'ccm fir', 'goog-remb', 'transport-cc'];

/**
 * @typedef {object} OfferedMedia
 * @property {number} index of its m-section
 * @property {string|null} mid
 * @property {number} payloadType
 * @property {string} profile H.264's profile-level-id as offered; empty for audio
 * @property {Array<{type: string, parameter: string}>} rtcpFeedback
 * @property {Array<{uri: string, id: number}>} extensions
 */

/**
 * Parse a player's offer. Raises RequestError 400 for unusable SDP, 422 for an offer without H.264.
 *
 * @param {string} text
 * @returns {{sections: object[], video: OfferedMedia, audio: object|null, dtlsParameters: {role: string, fingerprints: object[]}, answerSetup: string}}
 *   `audio` has all codecs that are offered, see chooseAudio()
 */
export function parseOffer(text) {
  const offer = parse(text);
  const sections = offer.media.map((media) => ({
    media,
    mid: media.mid === undefined ? null : String(media.mid),
  }));
  const bundled = offer.groups?.find((group) => group.type === 'BUNDLE')?.mids;
  const mids = bundled === undefined ? null : String(bundled).split(' ');
  const pick = (kind, read) => {
    for (const [index, { media, mid }] of sections.entries()) {
      const wantsMedia = media.type === kind && ['recvonly', 'sendrecv', undefined].includes(media.direction);
      const found = wantsMedia && (mids === null || mids.includes(mid)) ? read(media) : null;
      if (found) return { index, mid, ...found, extensions: readExtensions(media, mid) };
    }
    return null;
  };
  const video = pick('video', readH264);
  if (!video) {
    throw new RequestError(
      'no_h264',
      `the offer must have a video section that receives H.264 with packetization-mode 1 and a profile like ${DECLARED_PROFILE}`,
      422,
    );
  }
  // Without BUNDLE audio would need a second transport: it is left out.
  const audio = mids === null && offer.media.length > 1 ? null : pick('audio', readAudio);
  return { sections, video, audio, ...readDtls(offer, offer.media[video.index]) };
}

function parse(text) {
  let offer;
  try {
    offer = /^v=0\r?\n/.test(text) ? sdpTransform.parse(text) : null;
  } catch {
    offer = null;
  }
  if (!offer?.media?.length || offer.media.length > MAX_SECTIONS) {
    throw new RequestError(
      'bad_sdp',
      `the body must be an SDP offer with 1 to ${MAX_SECTIONS} media sections`,
      400,
    );
  }
  return offer;
}

function readH264(media) {
  const offered = (media.rtp ?? [])
    .filter(({ codec, rate }) => String(codec).toUpperCase() === 'H264' && rate === 90_000)
    .map(({ payload }) => ({ payload, ...readFmtp(media, payload) }))
    .filter((codec) => Number(codec['packetization-mode'] ?? 0) === 1);
  // As a last resort any profile is accepted: players that offer H.264 decode the cameras' profiles under any name.
  const rank = ({ 'profile-level-id': profile = '' }) =>
    /^42(e0|c0)/i.test(profile) ? 0 : /^42/.test(profile) ? 1 : /^4d/i.test(profile) ? 2 : 3;
  const [best] = offered.sort((a, b) => rank(a) - rank(b));
  return best && isPayloadType(best.payload)
    ? {
        payloadType: best.payload,
        profile: String(best['profile-level-id'] ?? ''),
        rtcpFeedback: readFeedback(media, best.payload),
      }
    : null;
}

function readAudio(media) {
  const rtp = [...(media.rtp ?? [])];
  // Static payload types need no description (RFC 3551, section 6).
  for (const codec of ['pcma', 'pcmu']) {
    const payload = ROUTER_PAYLOAD_TYPES[codec];
    const isListed = String(media.payloads ?? '')
      .split(' ')
      .includes(String(payload));
    if (isListed && !rtp.some((entry) => entry.payload === payload))
      rtp.push({ payload, ...describeAudio(codec) });
  }
  const codecs = {};
  for (const codec of AUDIO_CODECS) {
    const wanted = describeAudio(codec);
    const found = rtp.find(
      ({ codec: name, rate, encoding }) =>
        String(name).toLowerCase() === codec &&
        rate === wanted.rate &&
        Number(encoding ?? 1) === (wanted.encoding ?? 1),
    );
    if (found && isPayloadType(found.payload))
      codecs[codec] = { payloadType: found.payload, rtcpFeedback: readFeedback(media, found.payload) };
  }
  return Object.keys(codecs).length ? { codecs } : null;
}

/**
 * Return the offer with the one codec of sound that the room has, or, if it was not offered, any that was: its section
 * is answered in any case.
 *
 * @param {ReturnType<typeof parseOffer>} offer
 * @param {string|null} codec of the room's sound; null: it has none
 */
export function chooseAudio(offer, codec) {
  if (!offer.audio) return offer;
  const { codecs, ...section } = offer.audio;
  const chosen = codec !== null && Object.hasOwn(codecs, codec) ? codec : Object.keys(codecs)[0];
  return {
    ...offer,
    audio: { ...section, ...codecs[chosen], profile: '', codec: chosen, isPlayed: chosen === codec },
  };
}

const isPayloadType = (payload) => Number.isInteger(payload) && payload >= 0 && payload <= 127;

function readFmtp(media, payload) {
  const fmtp = (media.fmtp ?? []).find((entry) => entry.payload === payload);
  const pairs = String(fmtp?.config ?? '')
    .split(';')
    .map((pair) => pair.trim().split('='));
  return Object.fromEntries(
    pairs.filter(([name, value]) => name && value !== undefined && name !== 'payload'),
  );
}

function readFeedback(media, payload) {
  return (media.rtcpFb ?? [])
    .filter((entry) => String(entry.payload) === String(payload) || entry.payload === '*')
    .map(({ type, subtype }) => ({ type, parameter: subtype ?? '' }))
    .filter(({ type, parameter }) => FEEDBACK.includes(parameter ? `${type} ${parameter}` : type));
}

function readExtensions(media, mid) {
  const usable = (media.ext ?? []).filter(
    ({ uri, value }) => typeof uri === 'string' && Number.isInteger(value),
  );
  return usable
    .filter(({ uri }) => uri !== MID_EXTENSION || (mid !== null && Buffer.byteLength(mid) <= MAX_MID_BYTES))
    .map(({ uri, value }) => ({ uri, id: value }));
}

function readDtls(offer, media) {
  const fingerprint = media.fingerprint ?? offer.fingerprint;
  const setup = media.setup ?? offer.setup ?? 'actpass';
  const algorithm = String(fingerprint?.type ?? '').toLowerCase();
  const value = fingerprint?.hash;
  if (!isFingerprint(algorithm, value))
    throw new RequestError('bad_sdp', 'the offer has no usable DTLS fingerprint', 400);
  if (!['actpass', 'active', 'passive'].includes(setup))
    throw new RequestError('bad_sdp', `the offer's setup must be actpass, not '${setup.slice(0, 20)}'`, 400);
  // The player starts DTLS as soon as its own ICE check is answered: an ICE-lite server makes no checks and would have
  // to guess when the player accepts its first flight. We start it only for a player that insists on being passive.
  const isPassive = setup !== 'passive';
  return {
    dtlsParameters: {
      role: isPassive ? 'client' : 'server',
      fingerprints: [{ algorithm, value: value.toUpperCase() }],
    },
    answerSetup: isPassive ? 'passive' : 'active',
  };
}

/**
 * Build the player's RTP capabilities for mediasoup, with the one codec that was picked for each kind.
 *
 * @param {ReturnType<typeof chooseAudio>} offer
 */
export function buildRtpCapabilities({ video, audio }) {
  const codecs = [
    {
      kind: 'video',
      mimeType: 'video/H264',
      clockRate: 90_000,
      preferredPayloadType: video.payloadType,
      parameters: {
        'packetization-mode': 1,
        'level-asymmetry-allowed': 1,
        'profile-level-id': DECLARED_PROFILE,
      },
      rtcpFeedback: video.rtcpFeedback,
    },
  ];
  if (audio) {
    codecs.push(buildAudioCapability(audio.codec, audio.payloadType, audio.rtcpFeedback));
  }
  const headerExtensions = Object.entries({ video, audio })
    .filter(([, media]) => media)
    .flatMap(([kind, media]) => media.extensions.map(({ uri, id }) => ({ kind, uri, preferredId: id })));
  return { codecs, headerExtensions };
}

/**
 * Build the answer. Sections for which there is no media are rejected; audio of a camera without sound is answered
 * inactive, because its section may carry the transport of the bundle.
 *
 * @param {ReturnType<typeof chooseAudio>} offer
 * @param {{transport: object, consumers: object[], deviceId: string, sessionId: string}} session
 */
export function buildAnswer(offer, { transport, consumers, deviceId }) {
  const iceAndDtls = describeTransport(transport, offer.answerSetup);
  const media = offer.sections.map(({ media: offered, mid }, index) => {
    const kind = ['video', 'audio'].find((name) => offer[name]?.index === index);
    const base = {
      type: offered.type,
      protocol: offered.protocol,
      ...(mid === null ? {} : { mid }),
      connection: { version: 4, ip: '0.0.0.0' },
    };
    if (!kind)
      return {
        ...base,
        port: 0,
        payloads: String(offered.payloads ?? '0'),
        direction: 'inactive',
        rtp: [],
        fmtp: [],
      };
    const consumer = consumers.find((entry) => entry.kind === kind);
    return { ...base, ...iceAndDtls, port: 9, ...describeMedia(kind, offer[kind], consumer, deviceId) };
  });
  const mids = media.filter(({ port, mid }) => port !== 0 && mid !== undefined).map(({ mid }) => mid);
  return sdpTransform.write({
    version: 0,
    origin: {
      username: 'vas-sfu',
      sessionId: String(Date.now()),
      sessionVersion: 1,
      netType: 'IN',
      ipVer: 4,
      address: '0.0.0.0',
    },
    name: '-',
    timing: { start: 0, stop: 0 },
    icelite: 'ice-lite',
    ...(mids.length ? { groups: [{ type: 'BUNDLE', mids: mids.join(' ') }] } : {}),
    msidSemantic: { semantic: 'WMS', token: '*' },
    media,
  });
}

function describeTransport({ iceParameters, iceCandidates, dtlsParameters }, setup) {
  const fingerprint = dtlsParameters.fingerprints.find(({ algorithm }) => algorithm === 'sha-256');
  return {
    iceUfrag: iceParameters.usernameFragment,
    icePwd: iceParameters.password,
    candidates: describeCandidates(iceCandidates),
    endOfCandidates: 'end-of-candidates',
    fingerprint: { type: fingerprint.algorithm, hash: fingerprint.value },
    setup,
    rtcpMux: 'rtcp-mux',
    rtcpRsize: 'rtcp-rsize',
  };
}

function describeCandidates(candidates) {
  return candidates.map(({ foundation, protocol, priority, address, port, type, tcpType }) => ({
    foundation,
    component: 1,
    transport: protocol,
    priority,
    ip: address,
    port,
    type,
    ...(tcpType ? { tcptype: tcpType } : {}),
  }));
}

function describeMedia(kind, offered, consumer, deviceId) {
  const payload = offered.payloadType;
  const rtp = kind === 'video' ? { codec: 'H264', rate: 90_000 } : describeAudio(offered.codec);
  const profile = offered.profile ? `;profile-level-id=${offered.profile}` : '';
  const config =
    kind === 'video'
      ? `level-asymmetry-allowed=1;packetization-mode=1${profile}`
      : 'minptime=10;useinbandfec=1;sprop-stereo=1';
  const hasParameters = kind === 'video' || offered.codec === 'opus';
  const described = {
    payloads: String(payload),
    rtp: [{ payload, ...rtp }],
    fmtp: hasParameters ? [{ payload, config }] : [],
  };
  if (!consumer) return { ...described, direction: 'inactive' };
  const { rtpParameters } = consumer;
  const [{ ssrc }] = rtpParameters.encodings;
  return {
    ...described,
    direction: 'sendonly',
    rtcpFb: rtpParameters.codecs[0].rtcpFeedback.map(({ type, parameter }) => ({
      payload,
      type,
      ...(parameter ? { subtype: parameter } : {}),
    })),
    ext: rtpParameters.headerExtensions.map(({ uri, id }) => ({ value: id, uri })),
    msid: [{ id: deviceId, appdata: kind }],
    ssrcs: [
      { id: ssrc, attribute: 'cname', value: rtpParameters.rtcp.cname },
      { id: ssrc, attribute: 'msid', value: `${deviceId} ${kind}` },
    ],
  };
}

/**
 * Read the ICE credentials of a trickle ICE fragment (RFC 8840); null when there are none or it is not a fragment.
 *
 * @param {string} text
 */
export function readFragment(text) {
  const ufrag = /^a=ice-ufrag:([A-Za-z0-9+/]{4,256})\s*$/m.exec(text)?.[1];
  const password = /^a=ice-pwd:([A-Za-z0-9+/]{22,256})\s*$/m.exec(text)?.[1];
  return ufrag && password ? { ufrag, password } : null;
}

/** Return the ICE credentials of the offer's video section. */
export function readOfferCredentials(offer) {
  const { media } = offer.sections[offer.video.index];
  return { ufrag: String(media.iceUfrag ?? ''), password: String(media.icePwd ?? '') };
}

/**
 * Build the fragment that answers an ICE restart.
 *
 * @param {object} transport mediasoup's WebRtcTransport, after its restartIce()
 * @param {string|null} mid of the section that carries the transport
 */
export function buildFragment({ iceParameters, iceCandidates }, mid) {
  const lines = describeCandidates(iceCandidates).map(
    ({ foundation, component, transport, priority, ip, port, type, tcptype }) =>
      `a=candidate:${foundation} ${component} ${transport} ${priority} ${ip} ${port} typ ${type}${tcptype ? ` tcptype ${tcptype}` : ''}`,
  );
  return [
    'a=ice-lite',
    `a=ice-ufrag:${iceParameters.usernameFragment}`,
    `a=ice-pwd:${iceParameters.password}`,
    'm=video 9 UDP/TLS/RTP/SAVPF 0',
    ...(mid === null ? [] : [`a=mid:${mid}`]),
    ...lines,
    'a=end-of-candidates',
    '',
  ].join('\r\n');
}
