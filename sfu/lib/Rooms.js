/** All rooms, one per device: opening and closing them, their owners, and the notification of owners and viewers. */

import { describeError, RequestError } from './errors.js';
import { Room } from './Room.js';

const REBUILD_TRIES = 3;
const REBUILD_WAIT_MS = 15_000;

/**
 * Callbacks of a viewer, each called after the event.
 * @typedef {object} Audience
 * @property {(room: Room) => void} onRoomAvailable a room was opened, or rebuilt after its Worker had died
 * @property {() => void} onRoomEnded
 * @property {() => void} onTracksChanged
 * @property {(kind: string) => Promise<void>} onJump the sequence of a track has jumped: start anew at its next key frame
 */

export class Rooms {
  /** @type {Map<string, Room>} */
  #rooms = new Map();
  /** @type {Map<string, Promise<unknown>>} */
  #locks = new Map();
  /** @type {Map<string, Set<Audience>>} */
  #audiences = new Map();
  /** Control socket of each owner, and the timer that closes its rooms when it does not reconnect. */
  #owners = new Map();
  #changedViewers = new Set();
  #isClosed = false;

  /**
   * @param {{pool: import('./mediasoupWorkers.js').WorkerPool, ports: import('./ports.js').Ports, config: import('./config.js').Config, log: import('./log.js').Log}} options
   */
  constructor({ pool, ports, config, log }) {
    this.pool = pool;
    this.ports = ports;
    this.config = config;
    this.log = log;
  }

  get size() {
    return this.#rooms.size;
  }

  /** @returns {Iterable<Room>} */
  get all() {
    return this.#rooms.values();
  }

  get viewerCount() {
    let count = 0;
    for (const audience of this.#audiences.values()) count += audience.size;
    return count;
  }

  #countViewers(deviceId) {
    return this.#audiences.get(deviceId)?.size ?? 0;
  }

  /** Return the device's room when it can serve viewers now, otherwise null. */
  get(deviceId) {
    const room = this.#rooms.get(deviceId);
    return room?.isReady && !room.router.closed ? room : null;
  }

  // Ingest ------------------------------------------------------------------------------------------------------

  /**
   * Open a room, or confirm the existing one; repeated requests get the same response.
   *
   * @param {{deviceId: string, audioCodec: string|null, ports?: {video?: object, audio?: object}, isFresh: boolean, owner: string, sourceIp: string, ingestIp: string}} wanted
   */
  open(wanted) {
    return this.#locked(wanted.deviceId, async () => {
      const existing = this.#rooms.get(wanted.deviceId);
      const room = existing ?? new Room({ ...wanted, ports: this.ports, log: this.log });
      if (existing) await this.#adjust(room, wanted);
      else await this.#create(room, wanted);
      const ip = wanted.ingestIp;
      const [video, audio] = await Promise.all([
        room.tracks.video.describe(ip),
        room.tracks.audio?.describe(ip) ?? null,
      ]);
      const viewers = this.#countViewers(wanted.deviceId);
      return { device_id: wanted.deviceId, created: !existing, ip, video, audio, viewers };
    });
  }

  async #create(room, { audioCodec, ports }) {
    try {
      await room.addTrack('video', 'h264', ports?.video);
      if (audioCodec !== null) await room.addTrack('audio', audioCodec, ports?.audio);
      await this.#place(room);
    } catch (error) {
      await room.close();
      throw error;
    }
    if (this.#isClosed) {
      await room.close();
      throw new RequestError('shutting_down', 'the SFU is shutting down', 503);
    }
    this.#rooms.set(room.deviceId, room);
    this.log.info('room opened', {
      device: room.deviceId,
      owner: room.owner,
      worker: room.slot?.index,
      rtp_port: room.tracks.video.ports.rtp_port,
    });
    this.#notifyViewers(room.deviceId, (viewer) => viewer.onRoomAvailable(room));
    this.#viewersChanged(room.deviceId);
  }

  async #adjust(room, wanted) {
    room.owner = wanted.owner;
    room.confirmedAt = performance.now();
    let isChanged;
    try {
      isChanged = await room.change(wanted);
    } catch (error) {
      // A partially changed room is worse than none: the next request opens a new one.
      await this.#end(room, 'could not be changed');
      throw error;
    }
    if (!isChanged) return;
    this.log.info('room changed', {
      device: room.deviceId,
      audio: wanted.audioCodec,
      fresh: wanted.isFresh,
      source: wanted.sourceIp,
    });
    this.#notifyViewers(room.deviceId, (viewer) => viewer.onTracksChanged());
  }

  /** Place a room on the least loaded Worker; on another one when that Worker dies meanwhile. */
  async #place(room) {
    let fault = null;
    for (let tries = 0; tries < REBUILD_TRIES; tries += 1) {
      const slot = await this.pool.placeRoom(room, REBUILD_WAIT_MS);
      if (!slot) break;
      try {
        await room.place(slot);
        return;
      } catch (error) {
        fault = error;
        room.leave();
        if (slot.isAlive && !/in use|bind|port/i.test(error.message)) throw error;
        // Another program has taken a port between our check and mediasoup's: use others, which the response names.
        if (slot.isAlive) await room.changePorts();
      }
    }
    throw new RequestError(
      'no_worker',
      `no mediasoup Worker could take the room${fault ? ` (${fault.message})` : ''}`,
      503,
    );
  }

  /**
   * @param {string} deviceId
   * @param {string} reason for the log
   * @returns {Promise<boolean>} whether there was a room
   */
  close(deviceId, reason) {
    return this.#locked(deviceId, async () => {
      const room = this.#rooms.get(deviceId);
      if (!room) return false;
      await this.#end(room, reason);
      return true;
    });
  }

  async #end(room, reason) {
    this.#rooms.delete(room.deviceId);
    // Viewers first: a WebRtcServer forgets a transport that is closed, but not one whose Router is closed.
    this.#notifyViewers(room.deviceId, (viewer) => viewer.onRoomEnded());
    this.log.info('room closed', { device: room.deviceId, reason });
    await room.close();
  }

  /**
   * Return viewers and received packets of each room. A room whose Worker does not answer has `answered` false: it
   * keeps nobody waiting for the figures of the others.
   *
   * @param {string[]|null} deviceIds null: all
   */
  async stats(deviceIds) {
    const rooms =
      deviceIds === null
        ? [...this.#rooms.values()]
        : deviceIds.map((id) => this.#rooms.get(id)).filter(Boolean);
    const entries = await Promise.all(
      rooms.map(async (room) => {
        const { video, audio } = room.tracks;
        const asked = Promise.all([video?.stats() ?? null, audio?.stats() ?? null]);
        const answers = room.slot?.isResponding ? await withinLimit(asked, this.config.statsLimitMs) : null;
        const [ofVideo, ofAudio] = answers ?? [null, null];
        for (const track of [video, audio]) if (track?.takeJump()) this.#passOnJump(room, track);
        return [
          room.deviceId,
          {
            viewers: this.#countViewers(room.deviceId),
            answered: answers !== null,
            video: ofVideo,
            audio: ofAudio,
          },
        ];
      }),
    );
    return Object.fromEntries(entries);
  }

  #passOnJump(room, track) {
    this.log.info('sequence jumped', { device: room.deviceId, kind: track.kind });
    this.#notifyViewers(room.deviceId, (viewer) => viewer.onJump(track.kind).catch(() => {}));
  }

  // Owners ------------------------------------------------------------------------------------------------------

  /**
   * Register the socket of a worker process; it replaces an earlier socket of the same owner.
   *
   * @param {string} owner
   * @param {(event: string, data: object) => void} notify
   */
  ownerConnected(owner, notify) {
    clearTimeout(this.#owners.get(owner)?.timer);
    this.#owners.set(owner, { notify, timer: null });
  }

  /** Unregister the socket of an owner. Its rooms are closed when it does not reconnect within the grace period. */
  ownerGone(owner, notify) {
    const entry = this.#owners.get(owner);
    if (entry?.notify !== notify || this.#isClosed) return;
    entry.notify = null;
    entry.timer = setTimeout(async () => {
      this.#owners.delete(owner);
      for (const room of [...this.#rooms.values()]) {
        if (room.owner === owner) await this.close(room.deviceId, 'owner gone');
      }
    }, this.config.ownerGraceMs);
    entry.timer.unref();
  }

  /**
   * Close the owner's rooms except those of the given devices, and those that are opened again meanwhile.
   *
   * @param {string} owner
   * @param {string[]} deviceIds
   */
  async resync(owner, deviceIds) {
    const kept = new Set(deviceIds);
    const since = performance.now();
    const isLeft = (room) => room.owner === owner && !kept.has(room.deviceId) && room.confirmedAt <= since;
    const closed = [];
    for (const { deviceId } of [...this.#rooms.values()].filter(isLeft)) {
      const isClosed = await this.#locked(deviceId, async () => {
        const room = this.#rooms.get(deviceId);
        if (!room || !isLeft(room)) return false;
        await this.#end(room, 'not in resync');
        return true;
      });
      if (isClosed) closed.push(deviceId);
    }
    return { closed };
  }

  #notifyOwner(room, event, data) {
    this.#owners.get(room.owner)?.notify?.(event, data);
  }

  // Viewers -----------------------------------------------------------------------------------------------------

  /**
   * Notify this viewer of changes to the device's room, which need not exist yet.
   *
   * @param {string} deviceId
   * @param {Audience} viewer
   * @returns {() => void} ends the notifications
   */
  watch(deviceId, viewer) {
    const audience = this.#audiences.get(deviceId) ?? new Set();
    this.#audiences.set(deviceId, audience.add(viewer));
    this.#viewersChanged(deviceId);
    return () => {
      if (!audience.delete(viewer)) return;
      if (audience.size === 0) this.#audiences.delete(deviceId);
      this.#viewersChanged(deviceId);
    };
  }

  #notifyViewers(deviceId, notify) {
    for (const viewer of [...(this.#audiences.get(deviceId) ?? [])]) notify(viewer);
  }

  /** Report the number of viewers to the owner; simultaneous changes are combined into one message. */
  #viewersChanged(deviceId) {
    if (this.#changedViewers.size === 0) {
      setImmediate(() => {
        for (const id of this.#changedViewers) {
          const room = this.#rooms.get(id);
          if (room)
            this.#notifyOwner(room, 'viewers', {
              device_id: id,
              viewers: this.#countViewers(id),
            });
        }
        this.#changedViewers.clear();
      });
    }
    this.#changedViewers.add(deviceId);
  }

  // Faults ------------------------------------------------------------------------------------------------------

  /**
   * Rebuild the rooms of a dead Worker on others, with the same ports and SSRCs, and notify their viewers.
   *
   * @param {Room[]} rooms
   */
  async rebuild(rooms) {
    await Promise.all(
      rooms.map((room) =>
        this.#locked(room.deviceId, async () => {
          if (room.isClosed || this.#isClosed || this.#rooms.get(room.deviceId) !== room) return;
          // A request that had the lock before may have found the dead Router and rebuilt the room.
          if (room.router && !room.router.closed) return;
          try {
            room.leave();
            await this.#place(room);
          } catch (error) {
            this.log.error('room lost', { device: room.deviceId, error });
            this.#notifyOwner(room, 'ingest.lost', {
              device_id: room.deviceId,
              reason: describeError(error).message,
            });
            await this.#end(room, 'lost');
            return;
          }
          this.log.info('room rebuilt', { device: room.deviceId, worker: room.slot?.index });
          this.#notifyViewers(room.deviceId, (viewer) => viewer.onRoomAvailable(room));
        }),
      ),
    );
  }

  /** Close all rooms without waiting for the Workers. Sfu closes the viewers' sockets, Whep its sessions. */
  closeAll() {
    this.#isClosed = true;
    for (const { timer } of this.#owners.values()) clearTimeout(timer);
    for (const room of this.#rooms.values()) void room.close();
    this.#rooms.clear();
  }

  /** Run one task at a time per device. */
  #locked(deviceId, task) {
    const before = this.#locks.get(deviceId) ?? Promise.resolve();
    const run = before.then(task, task);
    this.#locks.set(deviceId, run);
    const tidy = () => this.#locks.get(deviceId) === run && this.#locks.delete(deviceId);
    run.then(tidy, tidy);
    return run;
  }
}

/**
 * Return the result of a promise, or null when there is none in time.
 *
 * @template T
 * @param {Promise<T>} promise
 * @param {number} limitMs
 * @returns {Promise<T|null>}
 */
async function withinLimit(promise, limitMs) {
  promise.catch(() => {});
  let timer;
  const limit = new Promise((resolve) => {
    timer = setTimeout(resolve, limitMs, null);
  });
  try {
    return await Promise.race([promise, limit]);
  } finally {
    clearTimeout(timer);
  }
}
