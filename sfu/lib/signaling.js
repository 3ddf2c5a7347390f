/** Signalling for mediasoup-client over the WebSocket /signaling: one viewer of one device per socket. */

import { RequestError } from './errors.js';
import { isObject, JsonSocket } from './JsonSocket.js';
import { Viewer } from './Viewer.js';

const REQUESTS_PER_SECOND = 50;

/** Close codes of this application. */
export const CLOSE = { badToken: 4401, tooSlow: 4408, tooManyViewers: 4429 };

class SignalingSession {
  viewer = null;
  #unwatch = () => {};
  #giveUpPlace = () => {};
  #connectedWith = null;

  constructor(request, { rooms, admission, config, log }) {
    this.request = request;
    this.rooms = rooms;
    this.admission = admission;
    this.config = config;
    this.log = log;
  }

  /** @param {import('ws').WebSocket} socket */
  serve(socket) {
    const joined = (action) => (data) => {
      if (!this.viewer) throw new RequestError('not_joined', "send 'join' first");
      return action(data);
    };
    const withTransport = (action) =>
      joined((data) => {
        if (!this.viewer.transport)
          throw new RequestError(
            'not_available',
            "the stream is not available yet; wait for the event 'streamAvailable'",
          );
        return action(data);
      });
    this.json = new JsonSocket(socket, {
      methods: new Map([
        ['join', (data) => this.#join(data)],
        ['connectTransport', withTransport((data) => this.#connect(data))],
        ['consume', withTransport((data) => this.#consume(data))],
        ['resume', withTransport(() => this.viewer.resume())],
        ['pause', withTransport(() => this.viewer.pause())],
        [
          'restartIce',
          withTransport(async () => ({ iceParameters: await this.viewer.transport.restartIce() })),
        ],
        ['stats', joined(() => this.viewer.stats())],
        ['leave', joined(() => this.#leave())],
      ]),
      log: this.log,
      config: this.config,
      isOrdered: true,
      requestsPerSecond: REQUESTS_PER_SECOND,
      onClose: () => {
        clearTimeout(joinTimer);
        this.#leave();
      },
    });
    const joinTimer = setTimeout(() => {
      if (!this.viewer) this.json.close(CLOSE.tooSlow, 'no join');
    }, this.config.joinTimeoutMs);
    joinTimer.unref();
  }

  async #join({ token }) {
    if (this.viewer)
      throw new RequestError('already_joined', "this socket has joined already; send 'leave' first");
    let place;
    try {
      place = await this.admission.admit(token, this.request);
    } catch (error) {
      if (error.code === 'too_many_viewers') this.#closeAfterAnswer(CLOSE.tooManyViewers, 'too many viewers');
      else this.#closeAfterAnswer(CLOSE.badToken, 'bad token');
      throw error;
    }
    if (this.json.socket.readyState !== this.json.socket.OPEN) {
      place.leave();
      return {};
    }
    this.#giveUpPlace = place.leave;
    const { deviceId } = place;
    const viewer = new Viewer({
      deviceId,
      iceConsentSeconds: this.config.iceConsentSeconds,
      onScore: (scores) => this.json.notify('score', scores),
    });
    this.viewer = viewer;
    this.#unwatch = this.rooms.watch(deviceId, this);
    const room = this.rooms.get(deviceId);
    const isAvailable = room !== null && (await this.#attach(room));
    this.log.info('viewer joined', { device: deviceId, available: isAvailable });
    return {
      device_id: deviceId,
      available: isAvailable,
      ...(isAvailable ? this.#describe() : { routerRtpCapabilities: null, transport: null }),
    };
  }

  /** Attach the viewer to this room. Returns whether it has a transport there now. */
  async #attach(room) {
    this.#connectedWith = null;
    try {
      const transport = await this.viewer.attach(room);
      if (transport) this.#limitConnecting(transport);
      return transport !== null;
    } catch (error) {
      // The Worker has just died: 'streamAvailable' follows when the room is rebuilt.
      this.log.debug('viewer not attached', { device: room.deviceId, error });
      return false;
    }
  }

  /** Close the socket of a viewer that never connects: its transport would stay as long as the socket. */
  #limitConnecting(transport) {
    const timer = setTimeout(
      () => this.json.close(CLOSE.tooSlow, 'never connected'),
      this.config.connectTimeoutMs,
    );
    timer.unref();
    transport.observer.once('close', () => clearTimeout(timer));
    transport.on('dtlsstatechange', (state) => state === 'connected' && clearTimeout(timer));
  }

  #describe() {
    return {
      routerRtpCapabilities: this.viewer.source.router.rtpCapabilities,
      transport: this.viewer.describeTransport(),
    };
  }

  async #connect({ dtlsParameters }) {
    const parsed = parseDtlsParameters(dtlsParameters);
    const text = JSON.stringify(parsed);
    if (this.#connectedWith === text) return {};
    if (this.#connectedWith)
      throw new RequestError(
        'already_connected',
        'this transport is already connected with other DTLS parameters',
      );
    await this.viewer.transport.connect({ dtlsParameters: parsed });
    this.#connectedWith = text;
    return {};
  }

  async #consume({ rtpCapabilities, paused = true }) {
    if (!isObject(rtpCapabilities))
      throw new RequestError('bad_request', "'rtpCapabilities' must be those of mediasoup-client's Device");
    const consumers = await this.viewer.consume(rtpCapabilities, { isPaused: paused !== false });
    return {
      consumers: consumers.map(({ id, producerId, kind, rtpParameters }) => ({
        id,
        producerId,
        kind,
        rtpParameters,
      })),
    };
  }

  #leave() {
    this.#unwatch();
    this.#unwatch = () => {};
    this.#giveUpPlace();
    this.viewer?.close();
    this.viewer = null;
    return {};
  }

  /** Close the socket after the response has been sent. */
  #closeAfterAnswer(code, reason) {
    setImmediate(() => this.json.close(code, reason));
  }

  // Events of the room (see Rooms.Audience) --------------------------------------------------------------------------

  async onRoomAvailable(room) {
    const { viewer } = this;
    if (viewer && (await this.#attach(room)) && this.viewer === viewer)
      this.json.notify('streamAvailable', this.#describe());
  }

  onRoomEnded() {
    this.viewer?.detach();
    this.json.notify('streamEnded', {});
  }

  onTracksChanged() {
    this.json.notify('producersChanged', {});
  }

  async onJump(kind) {
    await this.viewer?.resync(kind);
  }
}

/**
 * Serve one viewer's socket.
 *
 * @param {import('ws').WebSocket} socket
 * @param {import('node:http').IncomingMessage} request
 * @param {{rooms: import('./Rooms.js').Rooms, admission: import('./Admission.js').Admission, config: import('./config.js').Config, log: import('./log.js').Log}} context
 */
export function serveSignaling(socket, request, context) {
  new SignalingSession(request, context).serve(socket);
}

const ROLES = ['auto', 'client', 'server'];
const FINGERPRINTS = { 'sha-1': 20, 'sha-224': 28, 'sha-256': 32, 'sha-384': 48, 'sha-512': 64 };

/**
 * @param {unknown} value
 * @returns {{role: string, fingerprints: Array<{algorithm: string, value: string}>}}
 */
export function parseDtlsParameters(value) {
  const { role = 'auto', fingerprints } = isObject(value) ? value : {};
  const isGood =
    ROLES.includes(role) &&
    Array.isArray(fingerprints) &&
    fingerprints.length >= 1 &&
    fingerprints.length <= 10 &&
    fingerprints.every((entry) => isObject(entry) && isFingerprint(entry.algorithm, entry.value));
  if (!isGood) {
    throw new RequestError(
      'bad_request',
      "'dtlsParameters' must have a role (auto, client, server) and fingerprints with algorithm and value",
    );
  }
  return {
    role,
    fingerprints: fingerprints.map((entry) => ({
      algorithm: entry.algorithm,
      value: entry.value.toUpperCase(),
    })),
  };
}

/** Whether a certificate fingerprint is well formed, as in RFC 8122, section 5. */
export function isFingerprint(algorithm, value) {
  return (
    Object.hasOwn(FINGERPRINTS, String(algorithm)) &&
    typeof value === 'string' &&
    new RegExp(`^([0-9A-Fa-f]{2}:){${FINGERPRINTS[algorithm] - 1}}[0-9A-Fa-f]{2}$`).test(value)
  );
}
