/**
 * A second Router for a device, whose payload types are those of a WHEP player's offer.
 *
 * A WHEP player makes the offer and thereby chooses the payload types (RFC 3264, section 5.1), but mediasoup sends
 * with those of the Router. Players with the same payload types share one such Router; a pair of PipeTransports on
 * loopback carries the tracks to it.
 */

import { buildRouterCodecs, ROUTER_PAYLOAD_TYPES } from './codecs.js';

const PIPE_IP = '127.0.0.1';

export class PipedRouter {
  users = 0;
  #port = null;
  #isClosed = false;
  /** Tracks that can be consumed here, in the form of Room.openTracks. @type {Array<{kind: string, producer: object}>} */
  openTracks = [];

  /** Whether the room's own Router uses these payload types. */
  static isOwn({ video, audio, audioCodec }) {
    return (
      video === ROUTER_PAYLOAD_TYPES.video && (audio === null || audio === ROUTER_PAYLOAD_TYPES[audioCodec])
    );
  }

  /**
   * @param {import('./Room.js').Room} room
   * @param {{video: number, audio: number|null, audioCodec: string|null}} payloadTypes
   */
  static async open(room, payloadTypes) {
    const piped = new PipedRouter(room.ports);
    try {
      await piped.#pipe(room, payloadTypes);
      return piped;
    } catch (error) {
      piped.close();
      throw error;
    }
  }

  constructor(ports) {
    this.ports = ports;
    this.router = null;
  }

  async #pipe(room, payloadTypes) {
    this.#port = await this.ports.ingest.claim(PIPE_IP);
    this.router = await room.slot.worker.createRouter({
      mediaCodecs: buildRouterCodecs(payloadTypes),
      appData: { deviceId: room.deviceId },
    });
    const open = (router, port) =>
      router.createPipeTransport({ listenInfo: { protocol: 'udp', ip: PIPE_IP, port } });
    this.near = await open(room.router, this.#port);
    this.far = await open(this.router, this.#port + 1);
    await this.near.connect({ ip: PIPE_IP, port: this.#port + 1 });
    await this.far.connect({ ip: PIPE_IP, port: this.#port });
    for (const { kind, producer } of room.openTracks) {
      if (kind === 'audio' && payloadTypes.audio === null) continue;
      const consumer = await this.near.consume({ producerId: producer.id });
      const copy = await this.far.produce({ kind, rtpParameters: consumer.rtpParameters });
      this.openTracks.push({ kind, producer: copy });
    }
  }

  /** Stop forwarding media; the Router stays until its players have closed their transports. */
  retire() {
    this.near?.close();
    this.far?.close();
    if (this.users === 0) this.close();
  }

  close() {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.near?.close();
    this.far?.close();
    this.router?.close();
    if (this.#port !== null) this.ports.ingest.release(this.#port);
  }
}
