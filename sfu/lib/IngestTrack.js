/** One track of a camera (video or audio): its fixed ports, its PlainTransport and its Producer. */

import { buildProducerParameters, deriveSsrc, INGEST_PAYLOAD_TYPES } from './codecs.js';
import { SOCKET_BUFFER_BYTES } from './mediasoupWorkers.js';

// A new run of FFmpeg should go on a little above the last packet seen: below it packets count as old, 3,000 above
// as a new stream, and either way mediasoup or SRTP drops some or all of them.
const SEQUENCE_MARGIN = 64;

export class IngestTrack {
  transport = null;
  producer = null;
  #sequence = null;
  #discarded = 0;

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
    await transport.connect({ ip: sourceIp, port: this.ports.source_rtp_port, rtcpPort: this.ports.source_rtcp_port });
    this.producer = await transport.produce({
      kind: this.kind,
      rtpParameters: buildProducerParameters(this.deviceId, this.kind),
    });
    this.#discarded = 0;
    this.#learnSequence();
  }

  /** Close transport and Producer (and with it all its Consumers); the ports stay ours. */
  close() {
    this.transport?.close();
    this.transport = null;
    this.producer = null;
    this.#sequence = null;
  }

  /** What FFmpeg needs to know to send this track. */
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
    return stats && { packets: stats.packetCount, bytes: stats.byteCount, score: stats.score, bitrate: stats.bitrate };
  }

  /**
   * Whether the sequence numbers have jumped since the last call: FFmpeg was restarted without `-seq`. Such a jump
   * goes through to viewers, and one backwards makes SRTP refuse up to 32,768 packets.
   */
  async hasJumped() {
    const stats = await this.#readStats();
    if (!stats || stats.packetsDiscarded === this.#discarded) return false;
    this.#discarded = stats.packetsDiscarded;
    this.#learnSequence();
    return true;
  }

  async #readStats() {
    if (!this.producer || this.producer.closed) return null;
    const [stats] = await this.producer.getStats().catch(() => []);
    return stats ?? null;
  }

  /** Note the number of one packet, from a trace that is switched off again at once. */
  #learnSequence() {
    const { producer } = this;
    this.#sequence = null;
    producer.removeAllListeners('trace');
    producer.once('trace', async ({ info }) => {
      const [stats] = await producer.getStats().catch(() => []);
      await producer.enableTraceEvent([]).catch(() => {});
      if (stats && typeof info.sequenceNumber === 'number') {
        this.#sequence = { number: info.sequenceNumber, counted: stats.packetCount + stats.packetsLost };
      }
    });
    producer.enableTraceEvent(['rtp']).catch(() => {});
  }

  /** The RTP sequence number with which the next run of FFmpeg should start (`-seq`). */
  async #nextSequence() {
    const stats = this.#sequence && (await this.#readStats());
    // Nothing has arrived yet: any will do, low enough not to wrap at once.
    if (!stats) return Math.floor(Math.random() * 0x4000);
    const passed = stats.packetCount + stats.packetsLost - this.#sequence.counted;
    return (this.#sequence.number + passed + SEQUENCE_MARGIN) & 0xffff;
  }
}
