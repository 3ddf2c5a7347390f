/** The fixed ports of ingest: who holds which pair, and whether the machine really lets us have it. */

import dgram from 'node:dgram';
import { RequestError } from './errors.js';

/**
 * Whether a UDP port can be bound now.
 *
 * @param {string} ip
 * @param {number} port
 * @returns {Promise<boolean>}
 */
export function isUdpPortFree(ip, port) {
  return new Promise((resolve) => {
    const socket = dgram.createSocket({ type: ip.includes(':') ? 'udp6' : 'udp4' });
    const done = (isFree) => socket.close(() => resolve(isFree));
    socket.once('error', () => done(false));
    socket.bind({ port, address: ip, exclusive: true }, () => done(true));
  });
}

/** Pairs of an even port (RTP) and the odd one above it (RTCP), handed out round the range. */
export class PortRange {
  #held = new Set();
  #first;
  #pairs;
  #next;

  /**
   * @param {string} setting the name of the setting, for the error when the range is full
   * @param {{min: number, max: number}} range
   */
  constructor(setting, { min, max }) {
    this.setting = setting;
    this.#first = min + (min % 2);
    this.#pairs = Math.floor((max - this.#first + 1) / 2);
    // Not from the start: after a restart of the SFU the first ports are those that running FFmpegs ask back.
    this.#next = Math.floor(Math.random() * this.#pairs);
  }

  /** How many ports are held. */
  get inUse() {
    return this.#held.size * 2;
  }

  /**
   * Hold the next free pair and return its first port.
   *
   * @param {string|null} ip where to try to bind it; null when the port is on another machine
   */
  async claim(ip) {
    for (let tries = 0; tries < this.#pairs; tries += 1) {
      const port = this.#first + 2 * this.#next;
      this.#next = (this.#next + 1) % this.#pairs;
      if (await this.claimExact(port, ip)) return port;
    }
    throw new RequestError('no_free_port', `no port is free in '${this.setting}', widen the range`, 503);
  }

  /**
   * Hold the pair that starts at `port`; false when it is held, taken by another program or not in the range.
   *
   * @param {number} port
   * @param {string|null} ip
   */
  async claimExact(port, ip) {
    const index = (port - this.#first) / 2;
    if (!Number.isInteger(index) || index < 0 || index >= this.#pairs || this.#held.has(port)) return false;
    // Held before the first await: two requests at once must not both get it.
    this.#held.add(port);
    if (ip !== null && !((await isUdpPortFree(ip, port)) && (await isUdpPortFree(ip, port + 1)))) {
      this.#held.delete(port);
      return false;
    }
    return true;
  }

  /** @param {number} port the first of a pair; giving back what is not held does nothing */
  release(port) {
    this.#held.delete(port);
  }
}

/** Both ends of ingest: ours (PlainTransports, pipes) and FFmpeg's. */
export class Ports {
  /** @param {{ingestIp: string, ingestPorts: {min: number, max: number}, sourcePorts: {min: number, max: number}}} config */
  constructor(config) {
    this.ingestIp = config.ingestIp;
    this.ingest = new PortRange('SFU_INGEST_PORTS', config.ingestPorts);
    this.source = new PortRange('SFU_SOURCE_PORTS', config.sourcePorts);
  }

  get inUse() {
    return this.ingest.inUse + this.source.inUse;
  }

  /**
   * The four ports of one track. `wanted` (the ports a running FFmpeg already uses) is granted whole or not at all.
   *
   * @param {{wanted?: TrackPorts, isSourceLocal: boolean}} options
   * @returns {Promise<TrackPorts>}
   */
  async claimTrack({ wanted, isSourceLocal }) {
    if (wanted && (await this.#claimWanted(wanted))) return { ...wanted };
    const rtp = await this.ingest.claim(this.ingestIp);
    try {
      const source = await this.source.claim(isSourceLocal ? '0.0.0.0' : null);
      return { rtp_port: rtp, rtcp_port: rtp + 1, source_rtp_port: source, source_rtcp_port: source + 1 };
    } catch (error) {
      this.ingest.release(rtp);
      throw error;
    }
  }

  async #claimWanted(wanted) {
    if (wanted.rtcp_port !== wanted.rtp_port + 1 || wanted.source_rtcp_port !== wanted.source_rtp_port + 1)
      return false;
    if (!(await this.ingest.claimExact(wanted.rtp_port, this.ingestIp))) return false;
    // The running FFmpeg holds these: a try to bind them would fail by right.
    if (await this.source.claimExact(wanted.source_rtp_port, null)) return true;
    this.ingest.release(wanted.rtp_port);
    return false;
  }

  /** @param {TrackPorts} ports */
  releaseTrack(ports) {
    this.ingest.release(ports.rtp_port);
    this.source.release(ports.source_rtp_port);
  }
}

/** @typedef {{rtp_port: number, rtcp_port: number, source_rtp_port: number, source_rtcp_port: number}} TrackPorts */
