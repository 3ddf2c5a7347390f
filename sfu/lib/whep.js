/** WHEP (draft-ietf-wish-whep): an SDP offer by POST opens a session for any standard player, DELETE ends it. */

import crypto from 'node:crypto';
import { describeError, RequestError } from './errors.js';
import { isDeviceId } from './controlApi.js';
import { readBody } from './http.js';
import {
  buildAnswer,
  buildFragment,
  buildRtpCapabilities,
  chooseAudio,
  parseOffer,
  readFragment,
  readOfferCredentials,
} from './sdp.js';
import { readBearer } from './tokens.js';
import { Viewer } from './Viewer.js';

const CORS = {
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Expose-Headers': 'Location, ETag, Link, Retry-After',
};
const PREFLIGHT = {
  ...CORS,
  'Access-Control-Allow-Methods': 'OPTIONS, POST, PATCH, DELETE',
  'Access-Control-Allow-Headers': 'Authorization, Content-Type, If-Match',
  'Access-Control-Max-Age': '86400',
  'Accept-Post': 'application/sdp',
};
const RETRY_SECONDS = 2;

class WhepSession {
  id = crypto.randomBytes(16).toString('base64url');
  etag = newEtag();
  isClosed = false;
  #hasSound = false;
  #unwatch = () => {};
  #arrived = () => {};
  #graceTimer;

  constructor(deviceId, { rooms, config, log }, onClose) {
    this.deviceId = deviceId;
    this.rooms = rooms;
    this.config = config;
    this.log = log;
    this.onClose = onClose;
    this.viewer = new Viewer({ deviceId, iceConsentSeconds: config.iceConsentSeconds });
  }

  /** Return the answer to an offer; waits for the room when it is not open yet. */
  async open(offerText, signal) {
    this.offer = parseOffer(offerText);
    this.remote = readOfferCredentials(this.offer);
    this.#unwatch = this.rooms.watch(this.deviceId, this);
    const room = await this.#waitForRoom(signal);
    const offer = chooseAudio(this.offer, room.tracks.audio?.codec ?? null);
    const { video, audio, dtlsParameters } = offer;
    const payloadTypes = {
      video: video.payloadType,
      audio: audio?.isPlayed ? audio.payloadType : null,
      audioCodec: audio?.isPlayed ? audio.codec : null,
    };
    const transport = await this.viewer.attach(room, payloadTypes);
    if (!transport || this.isClosed) throw restarting();
    this.#follow(transport);
    const mids = { video: video.mid ?? undefined, audio: audio?.mid ?? undefined };
    const [consumers] = await Promise.all([
      // Not paused: nothing is sent before DTLS is connected, and a WHEP player cannot signal that it is ready.
      this.viewer.consume(buildRtpCapabilities(offer), { isPaused: false, mids }),
      transport.connect({ dtlsParameters }),
    ]);
    this.#hasSound = consumers.some(({ kind }) => kind === 'audio');
    return buildAnswer(offer, { transport, consumers, deviceId: this.deviceId });
  }

  async #waitForRoom(signal) {
    if (!this.rooms.get(this.deviceId)) {
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, this.config.roomWaitMs);
        this.#arrived = () => {
          clearTimeout(timer);
          resolve();
        };
        signal.addEventListener('abort', this.#arrived, { once: true });
      });
    }
    const room = this.rooms.get(this.deviceId);
    if (!room || this.isClosed || signal.aborted) {
      throw new RequestError(
        'stream_not_available',
        'the stream is not running or not available yet; try again in a moment',
        409,
      );
    }
    return room;
  }

  /** Close the session when the player never connects, or stays away without ending it. */
  #follow(transport) {
    const timer = setTimeout(() => this.close('never connected'), this.config.connectTimeoutMs);
    timer.unref();
    transport.observer.once('close', () => {
      clearTimeout(timer);
      clearTimeout(this.#graceTimer);
    });
    transport.on('icestatechange', (state) => {
      clearTimeout(this.#graceTimer);
      // The network of a player may come back: its checks then connect the same transport, or it restarts ICE.
      if (state === 'disconnected') this.#closeAfterGrace();
    });
    transport.on('dtlsstatechange', (state) => {
      if (state === 'connected') clearTimeout(timer);
      if (state === 'failed' || state === 'closed') this.close(`dtls ${state}`);
    });
  }

  #closeAfterGrace() {
    clearTimeout(this.#graceTimer);
    this.#graceTimer = setTimeout(() => this.close('ice disconnected'), this.config.disconnectGraceMs);
    this.#graceTimer.unref();
  }

  /** Restart ICE with new credentials of both sides, and return the fragment with ours. */
  async restartIce(remote) {
    if (!this.viewer.transport) throw restarting();
    await this.viewer.transport.restartIce();
    if (this.viewer.transport?.iceState === 'disconnected') this.#closeAfterGrace();
    this.remote = remote;
    this.etag = newEtag();
    return buildFragment(this.viewer.transport, this.offer.video.mid);
  }

  close(reason) {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#arrived();
    this.#unwatch();
    this.viewer.close();
    this.onClose(this);
    this.log.info('whep session closed', { device: this.deviceId, reason });
  }

  // Events of the room (see Rooms.Audience): a WHEP player cannot be notified, so it reconnects. ----------------------

  onRoomAvailable() {
    if (this.viewer.room) this.close('stream rebuilt');
    else this.#arrived();
  }

  onRoomEnded() {
    if (this.viewer.room) this.close('stream ended');
  }

  onTracksChanged() {
    const { room } = this.viewer;
    const has = (kind) =>
      [...this.viewer.consumers.values()].some((consumer) => consumer.kind === kind && !consumer.closed);
    const hasLostSound = this.#hasSound && room?.tracks.audio && !has('audio');
    if (room && (!has('video') || hasLostSound)) this.close('stream changed');
  }

  async onJump(kind) {
    await this.viewer.resync(kind);
  }
}

export class Whep {
  /** @type {Map<string, WhepSession>} */
  #sessions = new Map();

  /**
   * @param {{rooms: import('./Rooms.js').Rooms, admission: import('./Admission.js').Admission, config: import('./config.js').Config, log: import('./log.js').Log}} context
   */
  constructor(context) {
    this.context = context;
  }

  /**
   * Answer a request to `/whep/{device}` or `/whep/{device}/{session}`.
   *
   * @param {import('node:http').IncomingMessage} request
   * @param {import('node:http').ServerResponse} response
   * @param {string[]} parts the path after `/whep/`
   */
  async handle(request, response, parts) {
    const [deviceId, sessionId] = parts;
    if (!isDeviceId(deviceId) || parts.length > 2)
      throw new RequestError('not_found', 'there is no such page', 404);
    if (request.method === 'OPTIONS') {
      response.writeHead(204, PREFLIGHT).end();
      return;
    }
    for (const [name, value] of Object.entries(CORS)) response.setHeader(name, value);
    const actions =
      sessionId === undefined
        ? { POST: () => this.#post(request, response, deviceId) }
        : {
            PATCH: () => this.#patch(request, response, this.#find(deviceId, sessionId)),
            DELETE: () => this.#delete(response, this.#find(deviceId, sessionId)),
          };
    if (!Object.hasOwn(actions, request.method)) {
      response.setHeader('Allow', ['OPTIONS', ...Object.keys(actions)].join(', '));
      throw new RequestError('method_not_allowed', `${request.method} is not allowed here`, 405);
    }
    await actions[request.method]();
  }

  async #post(request, response, deviceId) {
    const place = await this.#admit(request, response);
    try {
      if (place.deviceId !== deviceId)
        throw new RequestError('unauthorized', 'the viewer token is for another device', 401);
      checkContentType(request, 'application/sdp');
      if (!accepts(request, 'application/sdp'))
        throw new RequestError('not_acceptable', "'Accept' must allow application/sdp", 406);
      const offer = await readBody(request, this.context.config.maxOfferBytes);
      await this.#open(response, deviceId, offer, place);
    } catch (error) {
      place.leave();
      throw error;
    }
  }

  async #admit(request, response) {
    try {
      return await this.context.admission.admit(readBearer(request.headers.authorization), request);
    } catch (error) {
      if (error.code === 'too_many_viewers') response.setHeader('Retry-After', String(RETRY_SECONDS));
      throw error;
    }
  }

  async #open(response, deviceId, offer, place) {
    const gone = new AbortController();
    response.once('close', () => response.writableFinished || gone.abort());
    const session = new WhepSession(deviceId, this.context, () => {
      this.#sessions.delete(session.id);
      place.leave();
    });
    try {
      const answer = await session.open(offer, gone.signal);
      if (gone.signal.aborted) throw new RequestError('gone', 'the player has disconnected', 499);
      this.#sessions.set(session.id, session);
      this.context.log.info('whep session opened', { device: deviceId });
      response.writeHead(201, {
        'Content-Type': 'application/sdp',
        // Relative to `…/whep/{device}`, so that it is right behind a proxy with a path prefix too.
        Location: `${deviceId}/${session.id}`,
        ETag: session.etag,
      });
      response.end(answer);
    } catch (error) {
      session.close('not opened');
      const { code, message } = describeError(error);
      if (['stream_not_available', 'stream_restarting'].includes(code)) {
        response.setHeader('Retry-After', String(RETRY_SECONDS));
        throw new RequestError(code, message, error.status ?? 503);
      }
      throw error;
    }
  }

  async #patch(request, response, session) {
    checkContentType(request, 'application/trickle-ice-sdpfrag');
    const fragment = await readBody(request, this.context.config.maxOfferBytes);
    const match = request.headers['if-match'];
    const remote = readFragment(fragment);
    const isRestart =
      remote !== null &&
      (remote.ufrag !== session.remote.ufrag || remote.password !== session.remote.password);
    if (!allows(match, session.etag)) {
      throw new RequestError('precondition_failed', "'If-Match' must be the session's ETag", 412);
    }
    if (!isRestart) {
      // ICE-lite: the player's candidates are not needed, because its connectivity checks reveal its address.
      response.writeHead(204, { ETag: session.etag }).end();
      return;
    }
    const answer = await session.restartIce(remote);
    response
      .writeHead(200, { 'Content-Type': 'application/trickle-ice-sdpfrag', ETag: session.etag })
      .end(answer);
  }

  #delete(response, session) {
    session.close('requested');
    response.writeHead(200).end();
  }

  /** Find a session. Its id cannot be guessed and authorizes the request: the token may have expired long ago. */
  #find(deviceId, sessionId) {
    const session = this.#sessions.get(sessionId);
    if (!session || session.deviceId !== deviceId)
      throw new RequestError('not_found', 'there is no such session', 404);
    return session;
  }

  closeAll() {
    for (const session of [...this.#sessions.values()]) session.close('shutting down');
  }
}

const newEtag = () => `"${crypto.randomBytes(9).toString('base64url')}"`;
const restarting = () =>
  new RequestError('stream_restarting', 'the stream is being rebuilt, try again in a moment', 503);

/**
 * Tell whether 'If-Match' allows the request: absent, `*`, or a list with the ETag. Weak tags never match (RFC 9110,
 * 13.1.1). The examples of WHIP and WHEP quote the `*`, and players copy them.
 */
function allows(ifMatch, etag) {
  if (ifMatch === undefined) return true;
  const tags = ifMatch.split(',').map((tag) => tag.trim());
  return ['*', '"*"', etag].some((tag) => tags.includes(tag));
}

function checkContentType(request, wanted) {
  const given = (request.headers['content-type'] ?? '').split(';')[0].trim().toLowerCase();
  if (given !== wanted) throw new RequestError('unsupported_media_type', `the body must be ${wanted}`, 415);
}

function accepts(request, type) {
  const accepted = (request.headers.accept ?? '*/*')
    .split(',')
    .map((entry) => entry.split(';')[0].trim().toLowerCase());
  return accepted.some((entry) => ['*/*', 'application/*', type].includes(entry));
}
