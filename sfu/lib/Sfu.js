/** The server: one HTTP port for control, signalling, WHEP, health and metrics, in front of the mediasoup Workers. */

import fs from 'node:fs';
import http from 'node:http';
import { WebSocketServer } from 'ws';
import { Admission } from './Admission.js';
import { serveControl } from './controlApi.js';
import { describeError, RequestError, StartError } from './errors.js';
import { sendError, sendJson } from './http.js';
import { WorkerPool } from './mediasoupWorkers.js';
import { collectStatus, formatMetrics } from './metrics.js';
import { Ports } from './ports.js';
import { Rooms } from './Rooms.js';
import { serveSignaling } from './signaling.js';
import { Tokens } from './tokens.js';
import { Whep } from './whep.js';

const VERSION = JSON.parse(fs.readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version;

export class Sfu {
  #server;
  #sockets;
  #closing = null;

  /**
   * @param {import('./config.js').Config} config
   * @param {import('./log.js').Log} log
   */
  constructor(config, log) {
    this.config = config;
    this.log = log;
    this.version = VERSION;
    this.startedAt = new Date();
    this.tokens = new Tokens(config.secret);
    this.admission = new Admission(this);
    this.ports = new Ports(config);
    this.pool = new WorkerPool(config, log);
    this.rooms = new Rooms(this);
    this.whep = new Whep(this);
    this.#sockets = {
      '/control': new WebSocketServer({ noServer: true, maxPayload: config.maxControlMessageBytes }),
      '/signaling': new WebSocketServer({ noServer: true, maxPayload: config.maxViewerMessageBytes }),
    };
    this.#server = http.createServer((request, response) => this.#answer(request, response));
    this.#server.headersTimeout = 5_000;
    this.#server.requestTimeout = 10_000;
    this.#server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
  }

  /** The port on which the server listens; chosen by the system when 'SFU_PORT' is 0. */
  get port() {
    return this.#server.address().port;
  }

  /** Open WebSockets of both kinds. */
  get socketCount() {
    return Object.values(this.#sockets).reduce((sum, { clients }) => sum + clients.size, 0);
  }

  /** Start the Workers and listen. Raises StartError, with the remedy in its message. */
  async start() {
    await this.pool.start((slot, rooms) => void this.rooms.rebuild(rooms));
    try {
      await new Promise((resolve, reject) => {
        this.#server.once('error', reject);
        this.#server.listen(this.config.port, this.config.host, resolve);
      });
    } catch (error) {
      await this.close();
      throw new StartError(
        `'SFU_PORT': cannot listen on port ${this.config.port} of ${this.config.host}; stop the program that uses it or set another port (${error.message})`,
        69,
      );
    }
    this.log.info('sfu started', {
      host: this.config.host,
      port: this.port,
      workers: this.config.workers,
      version: VERSION,
      mediasoup: this.pool.version,
    });
  }

  /** Stop in order: refuse new viewers, close sockets, rooms and Workers. May be called twice. */
  close() {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close() {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.whep.closeAll();
    for (const { clients } of Object.values(this.#sockets)) {
      for (const socket of clients) socket.close(1001, 'shutting down');
    }
    this.rooms.closeAll();
    await this.pool.close();
    for (const { clients } of Object.values(this.#sockets)) for (const socket of clients) socket.terminate();
    this.#server.closeAllConnections();
    await closed;
    this.log.info('sfu stopped');
  }

  async #answer(request, response) {
    try {
      await this.#route(request, response);
    } catch (error) {
      if (!describeError(error).isExpected)
        this.log.error('request failed', { method: request.method, error: error.stack });
      sendError(response, error);
    }
  }

  async #route(request, response) {
    const parts = readPath(request.url).split('/').slice(1);
    const isControl = this.tokens.isControlKey(request.headers.authorization);
    // Orchestrators ask for the health under addresses of their own.
    if (!isControl && parts.join('/') !== 'health') this.admission.checkHost(request);
    if (parts[0] === 'whep') {
      await this.whep.handle(request, response, parts.slice(1));
      return;
    }
    const page = PAGES[`/${parts.join('/')}`];
    if (!page) throw new RequestError('not_found', 'there is no such page', 404);
    if (!['GET', 'HEAD'].includes(request.method)) {
      response.setHeader('Allow', 'GET, HEAD');
      throw new RequestError('method_not_allowed', `${request.method} is not allowed here`, 405);
    }
    if (page.isGuarded && !isControl) {
      throw new RequestError('unauthorized', 'the control key is missing or wrong', 401);
    }
    await page.answer(this, response);
  }

  #upgrade(request, socket, head) {
    socket.on('error', () => socket.destroy());
    const path = readPath(request.url);
    const server = Object.hasOwn(this.#sockets, path) ? this.#sockets[path] : null;
    try {
      if (!server) throw new RequestError('not_found', 'there is no such page', 404);
      if (this.#closing) throw new RequestError('shutting_down', 'the SFU is shutting down', 503);
      if (path === '/control') this.#checkControl(request);
      else this.#checkViewer(request, socket, server);
    } catch (error) {
      this.log.debug('socket refused', { path, error });
      refuse(socket, error);
      return;
    }
    server.handleUpgrade(request, socket, head, (webSocket) => {
      if (path === '/control') serveControl(webSocket, request, this);
      else serveSignaling(webSocket, request, this);
    });
  }

  #checkControl(request) {
    if (!this.tokens.isControlKey(request.headers.authorization))
      throw new RequestError('unauthorized', 'the control key is missing or wrong', 401);
  }

  #checkViewer(request, socket, server) {
    this.admission.checkHost(request);
    this.admission.checkOrigin(request);
    if (server.clients.size >= 2 * this.config.maxViewers)
      throw new RequestError('too_many_viewers', 'this SFU has too many connections', 503);
    this.admission.takeSocket(request, socket);
  }
}

const PAGES = {
  '/health': {
    isGuarded: false,
    answer: ({ pool }, response) => {
      const workers = pool.aliveCount;
      sendJson(response, workers > 0 ? 200 : 503, { status: workers > 0 ? 'ok' : 'down', workers });
    },
  },
  '/control/status': {
    isGuarded: true,
    answer: (sfu, response) => sendJson(response, 200, collectStatus(sfu)),
  },
  '/metrics': {
    isGuarded: true,
    answer: (sfu, response) => {
      const text = formatMetrics(collectStatus(sfu));
      response.writeHead(200, { 'Content-Type': 'text/plain; version=0.0.4; charset=utf-8' }).end(text);
    },
  },
};

function readPath(url) {
  try {
    return new URL(url, 'http://sfu').pathname;
  } catch {
    return '';
  }
}

function refuse(socket, error) {
  const { code, message } = describeError(error);
  const status = error instanceof RequestError ? error.status : 500;
  const phrase = http.STATUS_CODES[status];
  const body = JSON.stringify({ code: status, status: phrase, message, errors: {}, reason: code });
  socket.end(
    `HTTP/1.1 ${status} ${phrase}\r\nConnection: close\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}
