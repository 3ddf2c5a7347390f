/** One track of a camera (video or audio): its fixed ports, its PlainTransport and its Producer. */

import { buildProducerParameters, deriveSsrc, INGEST_PAYLOAD_TYPES } from './codecs.js';
import { SOCKET_BUFFER_BYTES } from './mediasoupWorkers.js';

// Numbers up to 3,000 above the last packet seen are taken as a gap. Those below it count as old, those further above
// as a new stream, and either way mediasoup or SRTP drops some or all.
const SEQUENCE_TOLERANCE = 3_000;
const EARLIER_TOLERANCE = 64;
// The number seen last is known to within a few: some packets may have been lost before us or still be on their way.
const SEQUENCE_MARGIN = 16;

export class IngestTrack {
  transport = null;
  producer = null;
  /** The number of one packet and how many had been counted then. @type {{number: number, counted: number}|null} */
  #sequence = null;
  /** The number promised for the next run. @type {number|null} */
  #promised = null;
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
   * Listen on the fixed ports and accept RTP from FFmpeg's fixed ports alone (comedia would pin the first sender).
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
    this.#promised = null;
    this.#learnSequence();
  }

  /** Close transport and Producer (and with it all its Consumers); the ports stay ours. */
  close() {
    this.transport?.close();
    this.transport = null;
    this.producer = null;
  }

  /**
   * What FFmpeg needs to know to send this track. `sequence` is where its RTP sequence numbers should start (`-seq`)
   * for viewers to see one stream across its runs.
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

  /** Figures of what has arrived, or null before the first packet. `bitrate` is in bit/s, `score` 0 to 10. */
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

  /** Packets so far, 0 before the first. */
  async countPackets() {
    return (await this.#readStats())?.packetCount ?? 0;
  }

  /**
   * Whether the sequence numbers have jumped since the last call: FFmpeg was restarted without `-seq`. Such a jump
   * goes through to viewers, and one backwards makes SRTP refuse up to 32,768 packets.
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

  /** Trace packets until the figures of one moment are known, and compare with what was promised. */
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

  /** The Worker speaks in order: the packet traced last before its figures is the last one they count. */
  async #finishLearning(producer, readLatest) {
    const first = readLatest();
    const [stats] = await producer.getStats().catch(() => []);
    const number = readLatest();
    producer.removeAllListeners('trace');
    producer.enableTraceEvent([]).catch(() => {});
    if (!stats || this.producer !== producer) return;
    this.#sequence = { number, counted: stats.packetCount + stats.packetsLost };
    const beyond = (first - (this.#promised ?? first) + EARLIER_TOLERANCE) & 0xffff;
    if (beyond > SEQUENCE_TOLERANCE) this.#isJump = true;
    this.#promised = null;
  }

  async #nextSequence() {
    const stats = this.#sequence && (await this.#readStats());
    // Nothing has arrived yet: any will do, low enough not to wrap at once.
    if (!stats || !this.#sequence) return Math.floor(Math.random() * 0x4000);
    const passed = stats.packetCount + stats.packetsLost - this.#sequence.counted;
    this.#promised = (this.#sequence.number + passed + SEQUENCE_MARGIN) & 0xffff;
    this.#learnSequence();
    return this.#promised;
  }
}
