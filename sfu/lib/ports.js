/** Fixed ports of ingest: which port pairs are reserved, and whether they can be bound. */

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

/** Pairs of an even port (RTP) and the next odd port (RTCP), allocated in rotation. */
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
    // Not the start of the range: after a restart of the SFU, workers claim the ports there again.
    this.#next = Math.floor(Math.random() * this.#pairs);
  }

  /** Number of reserved ports. */
  get inUse() {
    return this.#held.size * 2;
  }

  /**
   * Reserve the next free pair and return its first port.
   *
   * @param {string|null} ip address on which binding is tried; null when the port is on another machine
   */
  async claim(ip) {
    for (let tries = 0; tries < this.#pairs; tries += 1) {
      const port = this.#first + 2 * this.#next;
      this.#next = (this.#next + 1) % this.#pairs;
      if (await this.claimExact(port, ip)) return port;
    }
    throw new RequestError('no_free_port', `no port is free in '${this.setting}'; widen the range`, 503);
  }

  /**
   * Reserve the pair that starts at `port`; false when it is reserved, used by another program or outside the range.
   *
   * @param {number} port
   * @param {string|null} ip
   */
  async claimExact(port, ip) {
    const index = (port - this.#first) / 2;
    if (!Number.isInteger(index) || index < 0 || index >= this.#pairs || this.#held.has(port)) return false;
    // Reserved before the first await, so that two simultaneous requests cannot both get it.
    this.#held.add(port);
    if (ip !== null && !((await isUdpPortFree(ip, port)) && (await isUdpPortFree(ip, port + 1)))) {
      this.#held.delete(port);
      return false;
    }
    return true;
  }

  /** @param {number} port first port of a pair; releasing a pair that is not reserved does nothing */
  release(port) {
    this.#held.delete(port);
  }
}

/** Ports at both ends of ingest: ours (PlainTransports, pipes) and the workers'. */
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
   * Reserve the four ports of one track. `wanted` (the ports that a worker uses) is granted completely or not at all.
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
    // Binding is not tried, because the worker has bound these.
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
