/** Shared by the tests: an SFU in the test process, its clients, and RTP senders. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import crypto from 'node:crypto';
import dgram from 'node:dgram';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { SignJWT } from 'jose';
import { WebSocket } from 'ws';
import { readConfig } from '../lib/config.js';
import { createLog } from '../lib/log.js';
import { Sfu } from '../lib/Sfu.js';

export const SECRET = 'a secret of the tests, long enough';

export const deriveKey = (label, secret = SECRET) =>
  crypto.createHmac('sha256', secret).update(label).digest('hex');
export const CONTROL_KEY = deriveKey('vas control');

/** Find the worker program that the set-up installed: MEDIASOUP_WORKER_BIN, otherwise the newest in the cache. */
export function findWorkerBin() {
  if (process.env.MEDIASOUP_WORKER_BIN) return process.env.MEDIASOUP_WORKER_BIN;
  const cache = path.join(os.homedir(), '.cache', 'vas', 'mediasoup-worker');
  const built = (fs.existsSync(cache) ? fs.readdirSync(cache) : [])
    .map((name) => path.join(cache, name, 'mediasoup-worker'))
    .filter((file) => fs.existsSync(file))
    .sort((a, b) => fs.statSync(b).mtimeMs - fs.statSync(a).mtimeMs);
  assert.ok(
    built.length,
    "mediasoup's worker program is missing: run `make test`, which installs it, or set MEDIASOUP_WORKER_BIN",
  );
  return built[0];
}

const BLOCK_PORTS = 120;
const BLOCKS = 39;

/** Reserve a block of ports and return its first, which stays bound as long as this process runs. */
async function claimBlock() {
  for (let tries = 0, index = Math.floor(Math.random() * BLOCKS); tries < BLOCKS; tries += 1, index += 1) {
    // Below the system's ephemeral ports, above those of an SFU with default settings.
    const base = 28_000 + (index % BLOCKS) * BLOCK_PORTS;
    const lock = dgram.createSocket('udp4');
    const isOurs = await new Promise((resolve) => {
      lock.once('error', () => resolve(false));
      lock.bind({ port: base, address: '127.0.0.1', exclusive: true }, () => resolve(true));
    });
    lock.unref();
    if (isOurs) return base;
  }
  return assert.fail('no block of ports is free');
}

/** Settings of an SFU with ports of its own. */
export async function testEnvironment(overrides = {}) {
  const base = await claimBlock();
  return {
    SFU_SECRET: SECRET,
    SFU_HOST: '127.0.0.1',
    SFU_PORT: '0',
    SFU_WORKERS: '2',
    SFU_WEBRTC_PORT: String(base + 1),
    SFU_INGEST_PORTS: `${base + 10}-${base + 63}`,
    SFU_SOURCE_PORTS: `${base + 64}-${base + 115}`,
    MEDIASOUP_WORKER_BIN: findWorkerBin(),
    LOG_LEVEL: 'ERROR',
    ...overrides,
  };
}

/**
 * Start an SFU in this process; it is closed when the test ends.
 *
 * @param {import('node:test').TestContext} t
 * @param {{environment?: object, protocol?: object, log?: object}} [options]
 */
export async function startSfu(t, { environment = {}, protocol = {}, log } = {}) {
  const config = { ...readConfig(await testEnvironment(environment)), ...protocol };
  const sfu = new Sfu(config, log ?? createLog(config.logLevel, (line) => process.stderr.write(line)));
  await sfu.start();
  t.after(() => sfu.close());
  return sfu;
}

/**
 * Wait until a condition holds, and return its value.
 *
 * @template T
 * @param {() => T|Promise<T>} condition
 * @param {string|(() => string)} what for the failure
 * @param {number} [limitMs]
 * @returns {Promise<T>}
 */
export async function until(condition, what, limitMs = 10_000) {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (performance.now() > deadline)
      assert.fail(`not in ${limitMs} ms: ${typeof what === 'function' ? what() : what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** A client of the JSON messages of /control and /signaling. */
export class Client {
  #next = 1;
  #pending = new Map();
  events = [];
  closed = null;

  /**
   * @param {number} port
   * @param {string} page
   * @param {object} [headers]
   * @returns {Promise<Client>}
   */
  static async connect(port, page, headers = {}) {
    const client = new Client();
    client.socket = new WebSocket(`ws://127.0.0.1:${port}${page}`, { headers });
    client.socket.on('message', (bytes) => client.#receive(JSON.parse(bytes.toString())));
    client.socket.on('close', (code, reason) => {
      client.closed = { code, reason: reason.toString() };
      for (const { reject } of client.#pending.values()) reject(new Error(`closed ${code}`));
      client.#pending.clear();
    });
    await new Promise((resolve, reject) => {
      client.socket.once('open', resolve);
      client.socket.once('error', reject);
    });
    client.socket.on('error', () => {});
    return client;
  }

  /** Send a request and return the whole response, successful or not. */
  ask(method, data = {}) {
    const id = this.#next++;
    const answer = new Promise((resolve, reject) => this.#pending.set(id, { resolve, reject }));
    this.socket.send(JSON.stringify({ id, method, data }));
    return answer;
  }

  /** Send a request and return the data of its response; an error fails the test. */
  async call(method, data) {
    const answer = await this.ask(method, data);
    assert.ok(answer.ok, `${method}: ${JSON.stringify(answer.error)}`);
    return answer.data;
  }

  /** Send a request that must fail and return the error code. */
  async fail(method, data) {
    const answer = await this.ask(method, data);
    assert.equal(answer.ok, false, `${method} should fail`);
    assert.ok(answer.error.message.length > 5);
    return answer.error.code;
  }

  /** Wait for the next event with this name. */
  event(name, limitMs) {
    return until(
      () => {
        const index = this.events.findIndex((event) => event.event === name);
        return index >= 0 ? this.events.splice(index, 1)[0].data : null;
      },
      `event ${name}`,
      limitMs,
    );
  }

  async close() {
    this.socket.close();
    await until(() => this.closed, 'socket closed');
  }

  #receive(message) {
    if (message.event) this.events.push(message);
    else if (message.id === null) this.events.push({ event: 'unasked answer', data: message });
    else {
      this.#pending.get(message.id)?.resolve(message);
      this.#pending.delete(message.id);
    }
  }
}

export async function connectControl(sfu, owner = 'test:1') {
  const control = await Client.connect(sfu.port, '/control', { Authorization: `Bearer ${CONTROL_KEY}` });
  if (owner) await control.call('hello', { owner });
  return control;
}

export const connectViewer = (sfu) => Client.connect(sfu.port, '/signaling');

/** @param {string} device */
export function mintToken(
  device,
  {
    key = deriveKey('vas viewer'),
    lifetime = '60s',
    issuedAt = undefined,
    algorithm = 'HS256',
    claims = {},
    issuer = 'vas',
    audience = 'viewer',
  } = {},
) {
  return new SignJWT({ device, tenant: 'tenant-1', ...claims })
    .setProtectedHeader({ alg: algorithm })
    .setIssuer(issuer)
    .setAudience(audience)
    .setJti(crypto.randomUUID())
    .setIssuedAt(issuedAt)
    .setExpirationTime(lifetime)
    .sign(new TextEncoder().encode(key));
}

export const openRequest = (device, more = {}) => ({
  device_id: device,
  video: { codec: 'h264' },
  audio: null,
  ...more,
});

/** RTP capabilities of a mediasoup-client Device in Chromium. */
export const RTP_CAPABILITIES = {
  codecs: [
    {
      kind: 'audio',
      mimeType: 'audio/opus',
      preferredPayloadType: 111,
      clockRate: 48000,
      channels: 2,
      parameters: {},
      rtcpFeedback: [],
    },
    {
      kind: 'video',
      mimeType: 'video/H264',
      preferredPayloadType: 108,
      clockRate: 90000,
      parameters: { 'packetization-mode': 1, 'level-asymmetry-allowed': 1, 'profile-level-id': '42e01f' },
      rtcpFeedback: [{ type: 'nack' }, { type: 'nack', parameter: 'pli' }, { type: 'transport-cc' }],
    },
  ],
  headerExtensions: [],
};

export const FINGERPRINT = Array.from({ length: 32 }, (_, index) =>
  (index + 16).toString(16).toUpperCase(),
).join(':');
export const DTLS_PARAMETERS = {
  role: 'client',
  fingerprints: [{ algorithm: 'sha-256', value: FINGERPRINT }],
};

/** Build an offer like that of a browser. `sounds`: `TYPE NAME/RATE`, or the TYPE alone if it is static. */
export function buildOffer({
  h264 = 108,
  opus = 111,
  profile = '42e01f',
  ufrag = 'abcd',
  video = true,
  sounds = [`${opus} opus/48000/2`],
} = {}) {
  const ice = [
    `a=ice-ufrag:${ufrag}`,
    `a=ice-pwd:${'p'.repeat(24)}`,
    `a=fingerprint:sha-256 ${FINGERPRINT}`,
    'a=setup:actpass',
    'a=rtcp-mux',
    'a=recvonly',
  ];
  const head = ['v=0', 'o=- 1 2 IN IP4 127.0.0.1', 's=-', 't=0 0', 'a=group:BUNDLE 0 1'];
  const audio = [
    `m=audio 9 UDP/TLS/RTP/SAVPF ${sounds.map((sound) => sound.split(' ')[0]).join(' ')}`,
    'c=IN IP4 0.0.0.0',
    'a=mid:0',
    ...ice,
    ...sounds.filter((sound) => sound.includes(' ')).map((sound) => `a=rtpmap:${sound}`),
    `a=fmtp:${opus} minptime=10;useinbandfec=1`,
  ];
  const codec = video
    ? [
        `a=rtpmap:${h264} H264/90000`,
        `a=fmtp:${h264} level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=${profile}`,
        `a=rtcp-fb:${h264} nack`,
        `a=rtcp-fb:${h264} nack pli`,
      ]
    : [`a=rtpmap:${h264} VP8/90000`];
  const picture = [`m=video 9 UDP/TLS/RTP/SAVPF ${h264}`, 'c=IN IP4 0.0.0.0', 'a=mid:1', ...ice, ...codec];
  return `${[...head, ...audio, ...picture].join('\r\n')}\r\n`;
}

/**
 * @param {import('../lib/Sfu.js').Sfu} sfu
 * @param {string} page
 * @param {{method?: string, token?: string, body?: string, headers?: object}} [options]
 */
export async function request(sfu, page, { method = 'GET', token, body, headers = {} } = {}) {
  const response = await fetch(`http://127.0.0.1:${sfu.port}${page}`, {
    method,
    body,
    headers: { ...(token ? { Authorization: `Bearer ${token}` } : {}), ...headers },
  });
  const text = await response.text();
  const isJson = (response.headers.get('content-type') ?? '').startsWith('application/json');
  // Resolved against the request's URL, as clients do.
  const location = new URL(response.headers.get('location') ?? '', response.url).pathname;
  return {
    status: response.status,
    headers: response.headers,
    location,
    text,
    json: isJson ? JSON.parse(text) : null,
  };
}

export const whep = (sfu, device, { token, offer = buildOffer(), headers = {} }) =>
  request(sfu, `/whep/${device}`, {
    method: 'POST',
    token,
    body: offer,
    headers: { 'Content-Type': 'application/sdp', ...headers },
  });

/** Sends a few RTP packets from FFmpeg's fixed ports, like a short run of FFmpeg. */
export class RtpSender {
  /**
   * @param {{ip: string, rtp_port: number, source_rtp_port: number, ssrc: number, payload_type: number}} track as 'ingest.open' answers it
   * @param {{sequence?: number}} [options]
   */
  static async open(track, { sequence = crypto.randomInt(65536) } = {}) {
    const sender = new RtpSender();
    Object.assign(sender, { track, sequence, timestamp: crypto.randomInt(2 ** 31) });
    sender.socket = dgram.createSocket('udp4');
    // A test that fails before it closes this socket must still end.
    sender.socket.unref();
    await new Promise((resolve, reject) => {
      sender.socket.once('error', reject);
      sender.socket.bind(track.source_rtp_port, '127.0.0.1', resolve);
    });
    return sender;
  }

  /** Send frames, each a STAP-A with SPS and PPS followed by one IDR slice. */
  async send(frames = 1) {
    for (let frame = 0; frame < frames; frame += 1) {
      await this.#packet(
        Buffer.from('7800166742c01fda02d0286a0000030002000003007908000468ce3c80', 'hex'),
        false,
      );
      await this.#packet(Buffer.concat([Buffer.from([0x65]), crypto.randomBytes(600)]), true);
      this.timestamp = (this.timestamp + 3600) >>> 0;
    }
  }

  async close() {
    await new Promise((resolve) => this.socket.close(resolve));
  }

  #packet(payload, isLast) {
    const header = Buffer.alloc(12);
    header[0] = 0x80;
    header[1] = (isLast ? 0x80 : 0) | this.track.payload_type;
    header.writeUInt16BE(this.sequence, 2);
    header.writeUInt32BE(this.timestamp, 4);
    header.writeUInt32BE(this.track.ssrc, 8);
    this.sequence = (this.sequence + 1) & 0xffff;
    const packet = Buffer.concat([header, payload]);
    return new Promise((resolve) => this.socket.send(packet, this.track.rtp_port, this.track.ip, resolve));
  }
}

/**
 * Start a real FFmpeg that sends a test picture (and a tone) with the options of the stream worker.
 *
 * @param {{video: object, audio: object|null}} ingest as 'ingest.open' answers it
 * @param {{gop?: number}} [options]
 */
export function spawnFfmpeg({ video, audio }, { gop = 25 } = {}) {
  // prettier-ignore
  const output = (track) => [
    '-seq', String(track.sequence),
    '-ssrc', String(track.ssrc), '-payload_type', String(track.payload_type), '-f', 'rtp',
    `rtp://${track.ip}:${track.rtp_port}?rtcpport=${track.rtcp_port}&localrtpport=${track.source_rtp_port}&localrtcpport=${track.source_rtcp_port}&pkt_size=1200`,
  ];
  // prettier-ignore
  const child = spawn('ffmpeg', [
    '-hide_banner', '-loglevel', 'error', '-nostdin', '-re', '-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=25',
    ...(audio ? ['-re', '-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000'] : []),
    '-map', '0:v', '-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-bf', '0', '-g', String(gop), '-pix_fmt', 'yuv420p',
    '-bsf:v', 'dump_extra=freq=keyframe', ...output(video),
    ...(audio ? ['-map', '1:a', '-c:a', 'libopus', '-ac', '2', '-b:a', '32k', ...output(audio)] : []),
  ], { stdio: ['ignore', 'ignore', 'pipe'] });
  child.errorOutput = '';
  child.stderr.on('data', (text) => (child.errorOutput += text));
  child.stop = () => {
    if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    return gone;
  };
  return child;
}
