/** One track of a camera (video or audio): its fixed ports, its PlainTransport and its Producer. */

import { buildProducerParameters, deriveSsrc, INGEST_PAYLOAD_TYPES } from './codecs.js';
import { SOCKET_BUFFER_BYTES } from './mediasoupWorkers.js';

// The last sequence number is known only approximately: packets may have been lost on the way or still be in flight.
// Players see the margin as a loss.
const SEQUENCE_MARGIN = 16;

export class IngestTrack {
  transport = null;
  producer = null;
  /** Sequence number of one packet, and the number of packets counted up to it. @type {{number: number, counted: number}|null} */
  #sequence = null;
  #discarded = 0;
  #isJump = false;

  /**
   * @param {string} deviceId
   * @param {{kind: 'video'|'audio', codec: string, ports: import('./ports.js').TrackPorts}} options
   *   `codec`: 'h264', or one of AUDIO_CODECS
   */
  constructor(deviceId, { kind, codec, ports }) {
    this.deviceId = deviceId;
    this.kind = kind;
    this.codec = codec;
    this.ports = ports;
    this.ssrc = deriveSsrc(deviceId, kind);
  }

  /**
   * Listen on the fixed ports and accept RTP from the worker's fixed ports only (comedia would pin the first sender).
   *
   * @param {object} router mediasoup's Router
   * @param {{ingestIp: string, sourceIp: string}} addresses
   */
  async open(router, { ingestIp, sourceIp }) {
    const listen = { protocol: 'udp', ip: ingestIp, recvBufferSize: SOCKET_BUFFER_BYTES };
    const transport = await router.createPlainTransport({
      listenInfo: { ...listen, port: this.ports.rtp_port },
      rtcpListenInfo: { ...listen, port: this.ports.rtcp_port },
      rtcpMux: false,
      comedia: false,
    });
    this.transport = transport;
    await transport.connect({
      ip: sourceIp,
      port: this.ports.source_rtp_port,
      rtcpPort: this.ports.source_rtcp_port,
    });
    this.producer = await transport.produce({
      kind: this.kind,
      rtpParameters: buildProducerParameters(this.deviceId, this.kind, this.codec),
    });
    this.#sequence = null;
    this.#discarded = 0;
    this.#isJump = false;
    this.#learnSequence();
  }

  /** Close the transport, the Producer and all its Consumers; the ports stay reserved. */
  close() {
    this.transport?.close();
    this.transport = null;
    this.producer = null;
  }

  /**
   * Return the parameters with which a worker sends this track. `sequence` is the first RTP sequence number for a
   * worker that takes over from another, with which viewers receive one continuous stream: mediasoup drops earlier
   * packets, and SRTP up to 32,768 of them.
   */
  async describe(ip) {
    return {
      ip,
      ...this.ports,
      ssrc: this.ssrc,
      payload_type: INGEST_PAYLOAD_TYPES[this.kind],
      sequence: await this.#nextSequence(),
    };
  }

  /** Return receive statistics, or null before the first packet. `bitrate` is in bit/s, `score` 0 to 10. */
  async stats() {
    const stats = await this.#readStats();
    if (!stats) return null;
    if (stats.packetsDiscarded !== this.#discarded) {
      this.#discarded = stats.packetsDiscarded;
      this.#isJump = true;
      this.#learnSequence();
    }
    return {
      packets: stats.packetCount,
      bytes: stats.byteCount,
      score: stats.score,
      bitrate: stats.bitrate,
    };
  }

  /**
   * Whether the last stats() have shown that the sequence has jumped, as it does after minutes without a network between
   * worker and SFU. The jump is passed on to viewers, whose SRTP rejects up to 32,768 packets after one backwards.
   */
  takeJump() {
    const isJump = this.#isJump;
    this.#isJump = false;
    return isJump;
  }

  async #readStats() {
    if (!this.producer || this.producer.closed) return null;
    const [stats] = await this.producer.getStats().catch(() => []);
    return stats ?? null;
  }

  /** Trace packets until the sequence number at one packet count is known. */
  #learnSequence() {
    const { producer } = this;
    let latest = null;
    producer.removeAllListeners('trace');
    producer.on('trace', ({ info }) => {
      const isFirst = latest === null;
      latest = info?.rtpPacket?.sequenceNumber ?? latest;
      if (isFirst && latest !== null) void this.#finishLearning(producer, () => latest);
    });
    producer.enableTraceEvent(['rtp']).catch(() => {});
  }

  /** The Worker sends messages in order: the last packet traced before the statistics is the last one they count. */
  async #finishLearning(producer, readLatest) {
    const [stats] = await producer.getStats().catch(() => []);
    const number = readLatest();
    producer.removeAllListeners('trace');
    producer.enableTraceEvent([]).catch(() => {});
    if (!stats || this.producer !== producer) return;
    this.#sequence = { number, counted: stats.packetCount + stats.packetsLost };
  }

  async #nextSequence() {
    const stats = this.#sequence && (await this.#readStats());
    // No packet has arrived yet: any number will do that does not wrap around soon.
    if (!stats || !this.#sequence) return Math.floor(Math.random() * 0x4000);
    const passed = stats.packetCount + stats.packetsLost - this.#sequence.counted;
    return (this.#sequence.number + passed + SEQUENCE_MARGIN) & 0xffff;
  }
}
