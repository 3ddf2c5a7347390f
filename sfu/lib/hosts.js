/**
 * Host names and web origins, with the same rules as in the gateway: which hosts a request may name, and which origins
 * count as ours.
 */

import net from 'node:net';
import os from 'node:os';

/** The entry of TRUSTED_HOSTS that allows every host. */
export const ANY_HOST = '*';

const DEFAULT_PORTS = { 'http:': 80, 'https:': 443, 'ws:': 80, 'wss:': 443 };
const NAME = /^(?!-)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63}){0,126}$/;

/**
 * Parse `name`, `name:port`, `address` or `[IPv6]:port`.
 *
 * @param {string} text
 * @returns {{name: string, port: number|null}|null} the name in lower case, IPv6 without brackets; null when invalid
 */
export function parseHost(text) {
  const [, ipv6, plain, port] =
    /^(?:\[([0-9A-Fa-f:.]{2,45})\]|([^:[\]]{1,254}))(?::(\d{1,5}))?$/.exec(text) ?? [];
  if (ipv6 !== undefined && !net.isIPv6(ipv6)) return null;
  const name = ipv6 === undefined ? plain?.toLowerCase().replace(/\.$/, '') : canonicalIPv6(ipv6);
  if (name === undefined || (ipv6 === undefined && (name.length > 253 || !NAME.test(name)))) return null;
  return { name, port: port === undefined ? null : Number(port) };
}

const canonicalIPv6 = (text) => new URL(`http://[${text}]`).hostname.slice(1, -1);

/**
 * A web origin as browsers write it: lower case, without a default port. `null` for anything else, such as the origin
 * `null` of files and sandboxes.
 *
 * @param {string} text
 */
export function parseOrigin(text) {
  const [, scheme, rest] = /^(https?):\/\/([^/?#@\s]+)\/?$/i.exec(text) ?? [];
  const host = scheme === undefined ? null : parseHost(rest);
  if (!host) return null;
  const name = host.name.includes(':') ? `[${host.name}]` : host.name;
  const isDefault = host.port === null || host.port === DEFAULT_PORTS[`${scheme.toLowerCase()}:`];
  return { ...host, text: `${scheme.toLowerCase()}://${name}${isDefault ? '' : `:${host.port}`}` };
}

/** The names by which this machine calls itself, and by which mDNS announces it. */
export function machineNames(hostname = os.hostname()) {
  const name = hostname.toLowerCase().replace(/\.$/, '');
  const short = name.split('.')[0];
  return new Set([name, short, `${short}.local`, 'localhost'].filter((own) => parseHost(own) !== null));
}

/** The hosts under which this process may be reached. */
export class TrustedHosts {
  /**
   * @param {string[]} trusted TRUSTED_HOSTS
   * @param {Iterable<string>} own names that count without TRUSTED_HOSTS, beside IP addresses
   */
  constructor(trusted, own) {
    this.isAny = trusted.includes(ANY_HOST);
    this.entries = trusted.filter((text) => text !== ANY_HOST).map(parseHost);
    this.own = new Set(own);
  }

  get areConfigured() {
    return this.isAny || this.entries.length > 0;
  }

  /** @param {{name: string, port: number|null}} host */
  accept(host) {
    if (!this.areConfigured) return net.isIP(host.name) !== 0 || this.isOwnName(host);
    return this.isAny || this.#has(host);
  }

  /**
   * Whether the name of a page is one of ours; unlike for the host of a request, any other address is not.
   *
   * @param {{name: string, port: number|null}} host
   */
  isOwnName(host) {
    if (this.areConfigured) return this.#has(host);
    return this.own.has(host.name) || host.name.endsWith('.localhost');
  }

  #has({ name, port }) {
    return this.entries.some((entry) => entry.name === name && (entry.port === null || entry.port === port));
  }
}
