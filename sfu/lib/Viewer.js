/** Media of a viewer: one WebRtcTransport and its Consumers, which follow the changes of the room. */

import { DECLARED_PROFILE } from './codecs.js';
import { RequestError } from './errors.js';

// A Consumer of one encoding has no layers to drop, but mediasoup's estimator should not start at 600 kbit/s.
const INITIAL_BITRATE = 10_000_000;

export class Viewer {
  room = null;
  transport = null;
  /** Router and tracks that this viewer consumes: the room's own or piped ones. */
  source = null;
  /** Keyed by Producer id. @type {Map<string, object>} */
  consumers = new Map();
  #isClosed = false;
  #release = () => {};
  #scores = {};

  /**
   * @param {{deviceId: string, iceConsentSeconds: number, onScore?: (scores: {video?: number, audio?: number}) => void}} options
   */
  constructor({ deviceId, iceConsentSeconds, onScore = () => {} }) {
    this.deviceId = deviceId;
    this.iceConsentSeconds = iceConsentSeconds;
    this.onScore = onScore;
  }

  /**
   * Create a transport in the room, replacing an earlier one; with `payloadTypes`, in a Router that uses these.
   *
   * @param {import('./Room.js').Room} room
   * @param {{video: number, audio: number|null, audioCodec: string|null}|null} [payloadTypes]
   * @returns {Promise<object|null>} the transport; null when the viewer was closed or attached anew meanwhile
   */
  async attach(room, payloadTypes = null) {
    this.detach();
    this.room = room;
    const { source, release } = await room.sourceFor(payloadTypes);
    if (!source.router || !room.slot?.webRtcServer) {
      release();
      throw new RequestError('stream_restarting', 'the stream is being rebuilt, try again in a moment', 503);
    }
    let transport;
    try {
      transport = await source.router.createWebRtcTransport({
        webRtcServer: room.slot.webRtcServer,
        enableUdp: true,
        enableTcp: true,
        preferUdp: true,
        initialAvailableOutgoingBitrate: INITIAL_BITRATE,
        iceConsentTimeout: this.iceConsentSeconds,
      });
    } catch (error) {
      release();
      throw error;
    }
    if (this.#isClosed || this.room !== room || this.transport) {
      transport.close();
      release();
      return null;
    }
    this.source = source;
    this.transport = transport;
    this.#release = release;
    return transport;
  }

  /** Close the transport and all Consumers; the viewer may be attached again. */
  detach() {
    this.transport?.close();
    this.transport = null;
    this.source = null;
    this.room = null;
    this.consumers.clear();
    this.#release();
    this.#release = () => {};
  }

  close() {
    this.#isClosed = true;
    this.detach();
  }

  /** Return the parameters with which a client creates its side of the transport. */
  describeTransport() {
    const { id, iceParameters, iceCandidates, dtlsParameters } = this.transport;
    return { id, iceParameters, iceCandidates, dtlsParameters, iceServers: [] };
  }

  /**
   * Consume every track of the room that is not consumed yet, and return all Consumers. Audio that the client cannot
   * play is left out; video that it cannot play raises `cannot_consume`.
   *
   * @param {object} rtpCapabilities
   * @param {{isPaused: boolean, mids?: {video?: string, audio?: string}}} options
   */
  async consume(rtpCapabilities, { isPaused, mids = {} }) {
    const { transport, source } = this;
    for (const { kind, producer } of source.openTracks) {
      if (this.consumers.has(producer.id)) continue;
      if (!source.router.canConsume({ producerId: producer.id, rtpCapabilities })) {
        if (kind === 'audio') continue;
        throw new RequestError(
          'cannot_consume',
          `the player must offer H.264 with packetization-mode 1 and a profile like ${DECLARED_PROFILE}`,
          422,
        );
      }
      const consumer = await transport.consume({
        producerId: producer.id,
        rtpCapabilities,
        paused: isPaused,
        mid: mids[kind],
      });
      this.#follow(consumer);
    }
    return [...this.consumers.values()];
  }

  async resume() {
    await Promise.all([...this.consumers.values()].map((consumer) => consumer.resume()));
  }

  async pause() {
    await Promise.all([...this.consumers.values()].map((consumer) => consumer.pause()));
  }

  /** Restart all running Consumers of a kind at the next key frame, see IngestTrack.takeJump(). */
  async resync(kind) {
    for (const consumer of this.consumers.values()) {
      if (consumer.kind !== kind || consumer.closed || consumer.paused) continue;
      await consumer.pause();
      await consumer.resume();
    }
  }

  async stats() {
    const [transport] = this.transport ? await this.transport.getStats() : [null];
    const consumers = await Promise.all(
      [...this.consumers.values()].map(async (consumer) => ({
        id: consumer.id,
        kind: consumer.kind,
        paused: consumer.paused,
        stats: await consumer.getStats(),
      })),
    );
    return { transport, consumers };
  }

  #follow(consumer) {
    this.consumers.set(consumer.producerId, consumer);
    const forget = () => {
      if (this.consumers.get(consumer.producerId) === consumer) this.consumers.delete(consumer.producerId);
    };
    consumer.once('producerclose', forget);
    consumer.once('transportclose', forget);
    consumer.on('score', ({ score, producerScore }) => {
      const value = Math.min(score, producerScore);
      if (this.#scores[consumer.kind] === value) return;
      this.#scores = { ...this.#scores, [consumer.kind]: value };
      this.onScore(this.#scores);
    });
  }
}
