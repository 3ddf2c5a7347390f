/** One track of a camera (video or audio): its fixed ports, its PlainTransport and its Producer. */

import { buildProducerParameters, deriveSsrc, INGEST_PAYLOAD_TYPES } from './codecs.js';
import { SOCKET_BUFFER_BYTES } from './mediasoupWorkers.js';

// Sequence numbers up to 3,000 above the last packet are treated as packet loss, lower ones as old packets and higher
// ones as a new stream. In the last two cases mediasoup or SRTP drops some or all of the packets.
const SEQUENCE_TOLERANCE = 3_000;
const EARLIER_TOLERANCE = 64;
// The last sequence number is known only approximately: packets may have been lost on the way or still be in flight.
const SEQUENCE_MARGIN = 16;

export class IngestTrack {
  transport = null;
  producer = null;
  /** Sequence number of one packet, and the number of packets counted up to it. @type {{number: number, counted: number}|null} */
  #sequence = null;
  /** Sequence number announced for FFmpeg's next run. @type {number|null} */
  #announced = null;
  #discarded = 0;
  #isJump = false;

  /**
   * @param {string} deviceId
   * @param {'video'|'audio'} kind
   * @param {import('./ports.js').TrackPorts} ports
   */
  constructor(deviceId, kind, ports) {
    this.deviceId = deviceId;
    this.kind = kind;
    this.ports = ports;
    this.ssrc = deriveSsrc(deviceId, kind);
  }

  /**
   * Listen on the fixed ports and accept RTP from FFmpeg's fixed ports only (comedia would pin the first sender).
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
      rtpParameters: buildProducerParameters(this.deviceId, this.kind),
    });
    this.#discarded = 0;
    this.#sequence = null;
    this.#announced = null;
    this.#learnSequence();
  }

  /** Close the transport, the Producer and all its Consumers; the ports stay reserved. */
  close() {
    this.transport?.close();
    this.transport = null;
    this.producer = null;
  }

  /**
   * Return the parameters with which FFmpeg sends this track. `sequence` is the first RTP sequence number (`-seq`)
   * with which viewers receive one continuous stream across FFmpeg's runs.
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
    return (
      stats && {
        packets: stats.packetCount,
        bytes: stats.byteCount,
        score: stats.score,
        bitrate: stats.bitrate,
      }
    );
  }

  /** Return the number of packets received so far. */
  async countPackets() {
    return (await this.#readStats())?.packetCount ?? 0;
  }

  /**
   * Whether the sequence numbers have jumped since the last call, as they do when FFmpeg is restarted without `-seq`.
   * A jump is passed on to viewers; after a jump backwards SRTP rejects up to 32,768 packets.
   */
  async hasJumped() {
    const stats = await this.#readStats();
    if (!stats) return false;
    if (stats.packetsDiscarded !== this.#discarded) {
      this.#discarded = stats.packetsDiscarded;
      this.#isJump = true;
      this.#learnSequence();
    }
    const isJump = this.#isJump;
    this.#isJump = false;
    return isJump;
  }

  async #readStats() {
    if (!this.producer || this.producer.closed) return null;
    const [stats] = await this.producer.getStats().catch(() => []);
    return stats ?? null;
  }

  /** Trace packets until the sequence number at one packet count is known; compare it with the announced one. */
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
    const first = readLatest();
    const [stats] = await producer.getStats().catch(() => []);
    const number = readLatest();
    producer.removeAllListeners('trace');
    producer.enableTraceEvent([]).catch(() => {});
    if (!stats || this.producer !== producer) return;
    this.#sequence = { number, counted: stats.packetCount + stats.packetsLost };
    const beyond = (first - (this.#announced ?? first) + EARLIER_TOLERANCE) & 0xffff;
    if (beyond > SEQUENCE_TOLERANCE) this.#isJump = true;
    this.#announced = null;
  }

  async #nextSequence() {
    const stats = this.#sequence && (await this.#readStats());
    // No packet has arrived yet: any number will do that does not wrap around soon.
    if (!stats || !this.#sequence) return Math.floor(Math.random() * 0x4000);
    const passed = stats.packetCount + stats.packetsLost - this.#sequence.counted;
    this.#announced = (this.#sequence.number + passed + SEQUENCE_MARGIN) & 0xffff;
    this.#learnSequence();
    return this.#announced;
  }
}
