/** mediasoup's Workers: one process per core, replaced when it dies or hangs, and the counts of all objects in them. */

import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { StartError } from './errors.js';

const START_LIMIT_MS = 10_000;
const CLOSE_LIMIT_MS = 2_000;
// Checks without an answer from which on a Worker is not counted on.
const RESPONDING_CHECKS = 3;
// A key frame of a large picture is a burst of hundreds of packets. The kernel caps the buffers at net.core.rmem_max
// and wmem_max.
const SOCKET_BUFFER_BYTES = 4 * 1024 * 1024;

/** Slot for a Worker: its process may be replaced, its index and WebRTC port stay. */
class WorkerSlot {
  worker = null;
  webRtcServer = null;
  deaths = 0;
  /** The rooms placed here. @type {Set<object>} */
  rooms = new Set();
  consumers = 0;
  /** Resource usage as last answered. @type {object|null} */
  usage = null;
  /** Checks since the Worker's last answer; they count this process's own time, in which it can hear the answer. */
  silentChecks = 0;
  isFilling = false;

  constructor(index, webrtcPort) {
    this.index = index;
    this.webrtcPort = webrtcPort;
  }

  get isAlive() {
    return this.worker !== null && !this.worker.closed;
  }

  /** Whether the Worker answers; one that does not is given no rooms, and is killed soon. */
  get isResponding() {
    return this.isAlive && this.silentChecks < RESPONDING_CHECKS;
  }

  get load() {
    return this.consumers + this.rooms.size;
  }
}

export class WorkerPool {
  #mediasoup;
  #slots = [];
  #isClosing = false;
  #onDeath = () => {};
  #waiting = new Set();
  #checkTimer;
  counts = { routers: 0, transports: 0, producers: 0, consumers: 0 };

  /**
   * @param {import('./config.js').Config} config
   * @param {import('./log.js').Log} log
   */
  constructor(config, log) {
    this.config = config;
    this.log = log;
  }

  /**
   * Start all Workers. Raises StartError, with the remedy in its message, when mediasoup's worker program is missing
   * or does not start, or when a WebRTC port is taken.
   *
   * @param {(slot: WorkerSlot, rooms: object[]) => void} onDeath called when a Worker has died, with its rooms
   */
  async start(onDeath) {
    this.#onDeath = onDeath;
    if (this.config.workerBin) process.env.MEDIASOUP_WORKER_BIN = this.config.workerBin;
    // Imported only now, because mediasoup reads MEDIASOUP_WORKER_BIN during the import.
    this.#mediasoup = await import('mediasoup');
    this.#mediasoup.setLogEventListeners({
      onwarn: (namespace, line) => this.log.debug('mediasoup warned', { namespace, line }),
      onerror: (namespace, line, error) => this.log.warning('mediasoup failed', { namespace, line, error }),
    });
    this.workerBin = this.#mediasoup.workerBin;
    this.version = this.#mediasoup.version;
    this.origin = readOrigin(this.workerBin);
    checkProgram(this.workerBin);
    this.#slots = Array.from(
      { length: this.config.workers },
      (_, index) => new WorkerSlot(index, this.config.webrtcPort + index),
    );
    this.#checkTimer = setInterval(() => {
      for (const slot of this.#slots) this.#check(slot);
    }, this.config.workerCheckMs);
    this.#checkTimer.unref();
    try {
      await Promise.all(this.#slots.map((slot) => this.#fill(slot)));
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /**
   * Ask a Worker for a sign of life, and kill one that has not answered for too long: it is then replaced like one that
   * has died, and its rooms are rebuilt on others.
   */
  #check(slot) {
    const { worker } = slot;
    if (!slot.isAlive) return;
    if (slot.silentChecks > 0) {
      slot.silentChecks += 1;
      if (slot.silentChecks * this.config.workerCheckMs < this.config.workerSilenceMs) return;
      this.log.error('worker does not answer', { worker: slot.index, pid: worker.pid });
      killProcess(worker.pid);
      return;
    }
    slot.silentChecks = 1;
    worker.getResourceUsage().then(
      (usage) => {
        if (slot.worker !== worker) return;
        slot.usage = usage;
        slot.silentChecks = 0;
      },
      () => {},
    );
  }

  /** Return the slot with the lowest load, or null when no Worker runs. */
  pick() {
    const alive = this.#slots.filter((slot) => slot.isResponding && slot.webRtcServer);
    return alive.reduce((best, slot) => (best === null || slot.load < best.load ? slot : best), null);
  }

  /**
   * Assign a room to the least loaded Worker; waits for a replacement when no Worker runs. The room adds to the load
   * immediately, so that rooms opened at the same time are distributed. Returns null when no Worker runs in time.
   *
   * @param {object} room
   * @param {number} limitMs
   */
  async placeRoom(room, limitMs) {
    if (!this.pick() && !this.#isClosing) await this.#waitForWorker(limitMs);
    const slot = this.pick();
    slot?.rooms.add(room);
    return slot;
  }

  #waitForWorker(limitMs) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, limitMs);
      const wake = () => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        resolve();
      };
      this.#waiting.add(wake);
    });
  }

  get aliveCount() {
    return this.#slots.filter((slot) => slot.isResponding).length;
  }

  /** @returns {Array<{pid: number|null, rooms: number, consumers: number, cpu_ms: number, rss_kb: number, webrtc_port: number, deaths: number}>} */
  describe() {
    return this.#slots.map((slot) => {
      const usage = slot.isAlive ? slot.usage : null;
      return {
        pid: slot.isAlive ? slot.worker.pid : null,
        rooms: slot.rooms.size,
        consumers: slot.consumers,
        cpu_ms: usage ? usage.ru_utime + usage.ru_stime : 0,
        rss_kb: slot.isAlive ? (readRssKb(slot.worker.pid) ?? usage?.ru_maxrss ?? 0) : 0,
        webrtc_port: slot.webrtcPort,
        deaths: slot.deaths,
      };
    });
  }

  /** Close all Workers and wait until their processes have ended; those that do not end in time are killed. */
  async close() {
    this.#isClosing = true;
    clearInterval(this.#checkTimer);
    for (const wake of [...this.#waiting]) wake();
    await Promise.all(
      this.#slots.map(async ({ worker }) => {
        if (!worker || worker.subprocessClosed) return;
        const gone = new Promise((resolve) => worker.once('subprocessclose', resolve));
        worker.close();
        const timer = new AbortController();
        const isLate = await Promise.race([
          gone.then(() => false),
          delay(CLOSE_LIMIT_MS, true, { signal: timer.signal }).catch(() => false),
        ]);
        timer.abort();
        if (isLate) killProcess(worker.pid);
      }),
    );
  }

  async #fill(slot) {
    slot.isFilling = true;
    try {
      await this.#start(slot);
    } finally {
      slot.isFilling = false;
    }
  }

  async #start(slot) {
    const worker = await this.#spawn();
    slot.worker = worker;
    slot.usage = null;
    slot.silentChecks = 0;
    slot.consumers = 0;
    this.#count(slot, worker);
    worker.once('died', (error) => this.#handleDeath(slot, worker, error));
    const listen = {
      ip: this.config.webrtcIp,
      port: slot.webrtcPort,
      announcedAddress: this.config.announcedAddress || undefined,
      sendBufferSize: SOCKET_BUFFER_BYTES,
    };
    try {
      slot.webRtcServer = await worker.createWebRtcServer({
        listenInfos: [
          { protocol: 'udp', ...listen, recvBufferSize: SOCKET_BUFFER_BYTES },
          { protocol: 'tcp', ...listen },
        ],
      });
    } catch (error) {
      worker.removeAllListeners('died');
      worker.close();
      throw new StartError(
        `port ${slot.webrtcPort} (UDP and TCP) of ${this.config.webrtcIp} cannot be used for viewers: set 'SFU_WEBRTC_PORT' to a free port and 'SFU_WEBRTC_IP' to an address of this machine (${error.message})`,
        69,
      );
    }
    this.log.info('worker started', { worker: slot.index, pid: worker.pid, webrtc_port: slot.webrtcPort });
    for (const wake of [...this.#waiting]) wake();
  }

  async #spawn() {
    const timer = new AbortController();
    try {
      return await Promise.race([
        this.#mediasoup.createWorker({ logLevel: this.config.logLevel === 'DEBUG' ? 'warn' : 'error' }),
        delay(START_LIMIT_MS, null, { signal: timer.signal }).then(() => {
          throw new Error(`no answer in ${START_LIMIT_MS / 1000} s`);
        }),
      ]);
    } catch (error) {
      throw new StartError(
        `mediasoup's worker program '${this.workerBin}' does not start: run \`make run\` to install it again, or set 'MEDIASOUP_WORKER_BIN' to a working one (${error.message})${logHint(this.workerBin)}`,
        69,
      );
    } finally {
      timer.abort();
    }
  }

  #handleDeath(slot, worker, error) {
    if (this.#isClosing) return;
    slot.deaths += 1;
    slot.webRtcServer = null;
    const rooms = [...slot.rooms];
    slot.rooms.clear();
    this.log.error('worker died', { worker: slot.index, pid: worker.pid, rooms: rooms.length, error });
    // A Worker that dies while it is started is replaced by whoever started it.
    if (!slot.isFilling) void this.#replace(slot);
    this.#onDeath(slot, rooms);
  }

  /** Retry until a new Worker runs in the slot, with delays that increase up to 10 s. */
  async #replace(slot) {
    for (let wait = 0; !this.#isClosing; wait = Math.min(10_000, wait * 2 || 250)) {
      await delay(wait);
      if (this.#isClosing) return;
      try {
        await this.#fill(slot);
        if (this.#isClosing) slot.worker?.close();
        return;
      } catch (error) {
        this.log.error('worker not replaced', { worker: slot.index, error });
      }
    }
  }

  /** Count the objects in a Worker by mediasoup's own events: leaks become visible even if our maps miss them. */
  #count(slot, worker) {
    const counted = (name, object) => {
      this.counts[name] += 1;
      object.observer.once('close', () => (this.counts[name] -= 1));
    };
    worker.observer.on('newrouter', (router) => {
      counted('routers', router);
      router.observer.on('newtransport', (transport) => {
        counted('transports', transport);
        transport.observer.on('newproducer', (producer) => counted('producers', producer));
        transport.observer.on('newconsumer', (consumer) => {
          counted('consumers', consumer);
          slot.consumers += 1;
          consumer.observer.once('close', () => {
            if (slot.worker === worker) slot.consumers -= 1;
          });
        });
      });
    });
  }
}

function checkProgram(program) {
  try {
    fs.accessSync(program, fs.constants.X_OK);
  } catch (error) {
    const fault = error.code === 'EACCES' ? 'is not executable' : 'was not found';
    throw new StartError(
      `mediasoup's worker program '${program}' ${fault}: run \`make run\`, which installs it, or set 'MEDIASOUP_WORKER_BIN' to its path${logHint(program)}`,
      69,
    );
  }
}

/** Text that names the build log, if the program was built on this machine. */
function logHint(program) {
  const log = path.join(path.dirname(program), '..', 'build.log');
  return fs.existsSync(log) ? `; the log of its build is ${log}` : '';
}

/** Origin of the program (prebuilt, built from source) from the installer's file next to it; null when unknown. */
function readOrigin(program) {
  if (process.env.MEDIASOUP_WORKER_ORIGIN) return process.env.MEDIASOUP_WORKER_ORIGIN;
  try {
    return String(JSON.parse(fs.readFileSync(`${program}.json`, 'utf8')).origin);
  } catch {
    return null;
  }
}

function readRssKb(pid) {
  try {
    return Number(/^VmRSS:\s+(\d+)/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) || null;
  } catch {
    return null;
  }
}

function killProcess(pid) {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Already gone.
  }
}

export { SOCKET_BUFFER_BYTES, WorkerSlot };
