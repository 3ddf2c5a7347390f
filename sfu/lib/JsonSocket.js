/** JSON messages over a WebSocket: requests with an id, responses with the same id, events without an id. */

import { describeError, RequestError } from './errors.js';

const INVALID_MESSAGE_LIMIT = 10;
const BUFFER_LIMIT_BYTES = 4 * 1024 * 1024;

export class JsonSocket {
  #invalidMessages = 0;
  #recent = 0;
  #recentSince = 0;
  #queue = Promise.resolve();
  /** Pings since the last sign of the peer. Not a time: when this process was stopped, the peer was not silent. */
  #silentPings = 0;

  /**
   * @param {import('ws').WebSocket} socket
   * @param {object} options
   * @param {Map<string, (data: object) => unknown>} options.methods handler of each method; it returns the data of the response
   * @param {import('./log.js').Log} options.log
   * @param {{pingMs: number, silenceMs: number}} options.config
   * @param {boolean} options.isOrdered whether requests are processed one after the other
   * @param {number} options.requestsPerSecond limit above which the socket is closed
   * @param {() => void} options.onClose
   */
  constructor(socket, { methods, log, config, isOrdered, requestsPerSecond, onClose }) {
    this.socket = socket;
    this.methods = methods;
    this.log = log;
    this.isOrdered = isOrdered;
    this.requestsPerSecond = requestsPerSecond;
    const heartbeat = setInterval(() => {
      if (this.#silentPings * config.pingMs >= config.silenceMs) {
        socket.terminate();
        return;
      }
      this.#silentPings += 1;
      if (socket.readyState === socket.OPEN) socket.ping();
    }, config.pingMs);
    heartbeat.unref();
    const heard = () => (this.#silentPings = 0);
    socket.on('pong', heard);
    socket.on('ping', heard);
    socket.on('message', (bytes, isBinary) => {
      heard();
      this.#receive(bytes, isBinary);
    });
    // Messages that are too large, invalid UTF-8 and the like: ws itself closes the socket with the right code.
    socket.on('error', (error) => log.debug('socket failed', { error }));
    socket.once('close', () => {
      clearInterval(heartbeat);
      onClose();
    });
  }

  /**
   * @param {string} event
   * @param {object} data
   */
  notify(event, data) {
    this.#send({ event, data });
  }

  /**
   * @param {number} code
   * @param {string} reason
   */
  close(code, reason) {
    this.socket.close(code, reason);
    // A peer that does not complete the closing handshake must not keep the socket open.
    const timer = setTimeout(() => this.socket.terminate(), 2_000);
    timer.unref();
    this.socket.once('close', () => clearTimeout(timer));
  }

  #receive(bytes, isBinary) {
    if (this.socket.readyState !== this.socket.OPEN) return;
    if (this.#isTooFast()) {
      this.close(1008, 'too many messages');
      return;
    }
    const request = isBinary ? null : parseRequest(bytes);
    if (!request) {
      this.#answer(
        null,
        new RequestError('bad_message', 'a message must be JSON like {"id":1,"method":"…","data":{}}'),
      );
      this.#countInvalid();
      return;
    }
    const method = this.methods.get(request.method);
    if (!method) {
      const known = [...this.methods.keys()].join(', ');
      this.#answer(
        request.id,
        new RequestError(
          'unknown_method',
          `'${request.method.slice(0, 64)}' is not a method; the methods are ${known}`,
        ),
      );
      this.#countInvalid();
      return;
    }
    const run = async () => {
      let outcome;
      try {
        outcome = (await method(request.data)) ?? {};
      } catch (error) {
        outcome = error instanceof Error ? error : new Error(String(error));
      }
      if (outcome instanceof Error && !describeError(outcome).isExpected) {
        this.log.error('request failed', { method: request.method, error: outcome.stack });
      }
      this.#answer(request.id, outcome);
    };
    if (this.isOrdered) this.#queue = this.#queue.then(run);
    else void run();
  }

  #answer(id, outcome) {
    if (outcome instanceof Error) {
      const { code, message } = describeError(outcome);
      this.#send({ id, ok: false, error: { code, message } });
    } else {
      this.#send({ id, ok: true, data: outcome });
    }
  }

  #send(message) {
    if (this.socket.readyState !== this.socket.OPEN) return;
    if (this.socket.bufferedAmount > BUFFER_LIMIT_BYTES) {
      this.socket.terminate();
      return;
    }
    this.socket.send(JSON.stringify(message));
  }

  #countInvalid() {
    this.#invalidMessages += 1;
    if (this.#invalidMessages >= INVALID_MESSAGE_LIMIT) this.close(1008, 'too many invalid messages');
  }

  #isTooFast() {
    const now = performance.now();
    if (now - this.#recentSince > 1_000) {
      this.#recentSince = now;
      this.#recent = 0;
    }
    this.#recent += 1;
    return this.#recent > this.requestsPerSecond;
  }
}

/** @returns {{id: number|string, method: string, data: object}|null} null when the message is not a valid request */
function parseRequest(bytes) {
  let value;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch {
    return null;
  }
  const { id, method, data = {} } = value ?? {};
  const isId = Number.isSafeInteger(id) || (typeof id === 'string' && id.length <= 64);
  return isId && typeof method === 'string' && isObject(data) ? { id, method, data } : null;
}

/** Whether a value is a plain JSON object. */
export function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
