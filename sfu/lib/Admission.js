/** Who may connect: hosts, origins and addresses of requests, and the places that viewers take. */

import net from 'node:net';
import { RequestError } from './errors.js';
import { machineNames, parseHost, parseOrigin, TrustedHosts } from './hosts.js';

export class Admission {
  /** Viewers by what they share: a token, an address, a tenant, this SFU. @type {Map<string, number>} */
  #taken = new Map();
  /** Open sockets of viewers by address, joined or not. @type {Map<string, number>} */
  #sockets = new Map();

  /** @param {{config: import('./config.js').Config, tokens: import('./tokens.js').Tokens}} context */
  constructor({ config, tokens }) {
    this.config = config;
    this.tokens = tokens;
    /** The host of SFU_PUBLIC_URL: the operator has said that it is ours. */
    this.publicName = config.publicUrl ? (parseHost(new URL(config.publicUrl).host)?.name ?? null) : null;
    this.hosts = new TrustedHosts(config.trustedHosts, [...machineNames(), config.host.toLowerCase()]);
    this.proxies = new net.BlockList();
    for (const { address, prefix, family } of config.trustedProxies)
      this.proxies.addSubnet(address, prefix, family);
  }

  /**
   * Raise RequestError when a request names a host under which we cannot be reached: a page of another site has made
   * its own name lead here (DNS rebinding).
   *
   * @param {import('node:http').IncomingMessage} request
   */
  checkHost(request) {
    const text = this.#forwarded(request, 'x-forwarded-host') ?? request.headers.host ?? '';
    // A client of HTTP/1.0 sends no host.
    if (text === '' && !this.hosts.areConfigured) return;
    const host = parseHost(text);
    if (host && (this.hosts.accept(host) || host.name === this.publicName)) return;
    throw new RequestError('untrusted_host', this.#describeRefusal(host), 400);
  }

  #describeRefusal(host) {
    if (!host) return "'Host' must be a host name with an optional port";
    if (this.hosts.areConfigured) return "'Host' is not one of TRUSTED_HOSTS";
    return (
      `'Host' is '${host.name}', which is neither an IP address nor a name of this machine: ` +
      `add it to the setting TRUSTED_HOSTS, such as TRUSTED_HOSTS=${host.name}`
    );
  }

  /**
   * Raise RequestError when a page of another site opens the WebSocket, which no other rule of browsers prevents. The
   * pages of the gateway have another port than the SFU, and behind a proxy another scheme, but the same host.
   *
   * @param {import('node:http').IncomingMessage} request
   */
  checkOrigin(request) {
    const { origin: text } = request.headers;
    if (text === undefined) return;
    const origin = parseOrigin(text);
    const host = parseHost(this.#forwarded(request, 'x-forwarded-host') ?? request.headers.host ?? '');
    const isOurs =
      origin !== null &&
      (this.config.allowedOrigins.includes(origin.text) ||
        origin.name === host?.name ||
        origin.name === this.publicName ||
        this.hosts.isOwnName(origin));
    if (isOurs) return;
    throw new RequestError(
      'cross_site',
      `pages of '${text.slice(0, 200)}' may not connect: add the origin to 'ALLOWED_ORIGINS', or its host to 'TRUSTED_HOSTS' if it is the gateway's own`,
      403,
    );
  }

  /**
   * Count a socket of a viewer until it closes. Raises RequestError when its address has too many, joined or not.
   *
   * @param {import('node:http').IncomingMessage} request
   * @param {import('node:stream').Duplex} socket
   */
  takeSocket(request, socket) {
    const address = networkOf(this.addressOf(request));
    // A viewer that reconnects may have its former socket still open.
    if ((this.#sockets.get(address) ?? 0) >= 2 * this.config.maxViewersPerAddress) {
      throw new RequestError('too_many_viewers', 'this address has too many connections', 429);
    }
    add(this.#sockets, address, 1);
    socket.once('close', () => add(this.#sockets, address, -1));
  }

  /**
   * Verify a viewer's token and take a place for it. Raises RequestError `unauthorized`, or `too_many_viewers` with
   * the limit that is reached.
   *
   * @param {unknown} token
   * @param {import('node:http').IncomingMessage} request
   * @returns {Promise<{deviceId: string, tenantId: string, tokenId: string, leave: () => void}>} `leave` gives the place back
   */
  async admit(token, request) {
    const claims = await this.tokens.verifyViewerToken(token);
    const { maxViewers, maxViewersPerToken, maxViewersPerAddress, maxViewersPerTenant } = this.config;
    const places = [
      [`token ${claims.tokenId}`, maxViewersPerToken, 'SFU_MAX_VIEWERS_PER_TOKEN', 'one viewer token', 429],
      [
        `address ${networkOf(this.addressOf(request))}`,
        maxViewersPerAddress,
        'SFU_MAX_VIEWERS_PER_ADDRESS',
        'one address',
        429,
      ],
      [
        `tenant ${claims.tenantId}`,
        maxViewersPerTenant || maxViewers,
        'SFU_MAX_VIEWERS_PER_TENANT',
        'one tenant',
        429,
      ],
      ['all', maxViewers, 'SFU_MAX_VIEWERS', 'all', 503],
    ];
    // The last first, so that a full SFU is not taken for a full tenant.
    for (const [key, limit, setting, label, status] of places.toReversed()) {
      if ((this.#taken.get(key) ?? 0) >= limit) {
        throw new RequestError(
          'too_many_viewers',
          `this SFU serves at most ${limit} viewers of ${label} at a time ('${setting}')`,
          status,
        );
      }
    }
    for (const [key] of places) add(this.#taken, key, 1);
    let isTaken = true;
    const leave = () => {
      if (!isTaken) return;
      isTaken = false;
      for (const [key] of places) add(this.#taken, key, -1);
    };
    return { ...claims, leave };
  }

  /**
   * The address of the client; behind TRUSTED_PROXIES the one that they report. The nearest proxy writes on the right,
   * the client on the left.
   *
   * @param {import('node:http').IncomingMessage} request
   */
  addressOf(request) {
    let address = plainAddress(request.socket.remoteAddress);
    const hops = String(request.headers['x-forwarded-for'] ?? '').split(',');
    while (hops.length > 0 && this.#isProxy(address)) {
      const next = readAddress(hops.pop());
      if (next === null) break;
      address = next;
    }
    return address;
  }

  #isProxy(address) {
    const family = net.isIP(address);
    return family !== 0 && this.proxies.check(address, family === 6 ? 'ipv6' : 'ipv4');
  }

  /** The value of a header that the nearest proxy has written; null when it is not one of TRUSTED_PROXIES. */
  #forwarded(request, name) {
    if (!this.#isProxy(plainAddress(request.socket.remoteAddress))) return null;
    return request.headers[name]?.split(',').at(-1).trim() || null;
  }
}

function add(counts, key, change) {
  const count = (counts.get(key) ?? 0) + change;
  if (count > 0) counts.set(key, count);
  else counts.delete(key);
}

const plainAddress = (address) => (address ?? '').replace(/^::ffff:(?=\d+\.)/i, '');

/** @param {string} text an address with or without a port */
function readAddress(text) {
  const trimmed = text.trim();
  const plain = plainAddress(trimmed);
  if (net.isIP(plain)) return plain;
  const host = parseHost(trimmed);
  return host && net.isIP(host.name) ? host.name : null;
}

/** The share of an address: itself, or of IPv6 the network of 64 bits, of which a client has every address. */
export function networkOf(address) {
  if (!net.isIPv6(address)) return address;
  const [head, tail] = address.replace(/%.*$/, '').split('::');
  const groups = head === '' ? [] : head.split(':');
  const end = tail ? tail.split(':') : [];
  while (tail !== undefined && groups.length + end.length < 8) groups.push('0');
  return [...groups, ...end]
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':');
}
