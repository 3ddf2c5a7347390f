/** A device in the SFU: its Router on one of the Workers, its ingest tracks, and the piped Routers of WHEP players. */

import { ROUTER_CODECS } from './codecs.js';
import { IngestTrack } from './IngestTrack.js';
import { PipedRouter } from './PipedRouter.js';

const KINDS = ['video', 'audio'];

export class Room {
  slot = null;
  router = null;
  isClosed = false;
  /** Whether Router and tracks exist, so that viewers can be served. */
  isReady = false;
  /** @type {{video: IngestTrack|null, audio: IngestTrack|null}} */
  tracks = { video: null, audio: null };
  /** Keyed by payload types. @type {Map<string, Promise<PipedRouter>>} */
  #piped = new Map();

  /**
   * @param {{deviceId: string, owner: string, sourceIp: string, ports: import('./ports.js').Ports, log: import('./log.js').Log}} options
   *   `owner` is the worker process that feeds the device, `sourceIp` the address it sends from
   */
  constructor({ deviceId, owner, sourceIp, ports, log }) {
    this.deviceId = deviceId;
    this.owner = owner;
    this.sourceIp = sourceIp;
    this.ports = ports;
    this.log = log;
    /** When its owner last asked for it (performance.now(), ms). */
    this.confirmedAt = performance.now();
  }

  get openTracks() {
    return KINDS.map((kind) => this.tracks[kind]).filter((track) => track?.producer);
  }

  /**
   * Create the Router on this Worker, in whose load the room is counted already, and open all tracks on their ports.
   *
   * @param {import('./mediasoupWorkers.js').WorkerSlot} slot
   */
  async place(slot) {
    this.slot = slot;
    this.router = await slot.worker.createRouter({
      mediaCodecs: ROUTER_CODECS,
      appData: { deviceId: this.deviceId },
    });
    for (const kind of KINDS) if (this.tracks[kind]) await this.#openTrack(this.tracks[kind]);
    this.isReady = true;
  }

  /** Leave the Worker: close everything in it. The ports stay reserved. */
  leave() {
    this.isReady = false;
    for (const kind of KINDS) this.tracks[kind]?.close();
    this.closePiped();
    this.router?.close();
    this.router = null;
    this.slot?.rooms.delete(this);
    this.slot = null;
  }

  /**
   * Reserve ports for a track and, when there is a Router, open it.
   *
   * @param {'video'|'audio'} kind
   * @param {string} codec 'h264', or one of AUDIO_CODECS
   * @param {import('./ports.js').TrackPorts} [wanted]
   */
  async addTrack(kind, codec, wanted) {
    const held = await this.ports.claimTrack({
      wanted,
      isSourceLocal: this.sourceIp === '127.0.0.1' || this.sourceIp === '::1',
    });
    const track = new IngestTrack(this.deviceId, { kind, codec, ports: held });
    this.tracks[kind] = track;
    if (this.router) await this.#openTrack(track);
  }

  /** @param {'video'|'audio'} kind */
  async removeTrack(kind) {
    const track = this.tracks[kind];
    if (!track) return;
    this.tracks[kind] = null;
    track.close();
    this.closePiped();
    await this.#awaitClosedSockets(this.slot);
    this.ports.releaseTrack(track.ports);
  }

  /**
   * Change an open room as requested. Returns whether viewers have to consume again. Video is not touched when only
   * audio is added, removed or sent in another codec.
   *
   * @param {{audioCodec: string|null, ports?: {audio?: object}, isFresh: boolean, sourceIp: string}} wanted
   */
  async change({ audioCodec, ports, isFresh, sourceIp }) {
    let isChanged = false;
    const isMoved = this.sourceIp !== sourceIp;
    this.sourceIp = sourceIp;
    if (this.tracks.audio && this.tracks.audio.codec !== audioCodec) {
      await this.removeTrack('audio');
      isChanged = true;
    }
    if (isFresh || isMoved) {
      this.closePiped();
      for (const kind of KINDS) this.tracks[kind]?.close();
      if (isFresh) await this.changePorts();
      else for (const track of Object.values(this.tracks)) if (track) await this.#openTrack(track);
      isChanged = true;
    }
    if (audioCodec !== null && !this.tracks.audio) {
      await this.addTrack('audio', audioCodec, isFresh ? undefined : ports?.audio);
      this.closePiped();
      isChanged = true;
    }
    return isChanged;
  }

  /** Move all tracks to other ports. The new are reserved before the old are released, so that they differ. */
  async changePorts() {
    for (const kind of KINDS) {
      const old = this.tracks[kind];
      if (!old) continue;
      old.close();
      try {
        await this.addTrack(kind, old.codec);
      } finally {
        if (this.tracks[kind] !== old) {
          await this.#awaitClosedSockets(this.slot);
          this.ports.releaseTrack(old.ports);
        }
      }
    }
  }

  /** Close everything. Resolves when the ports can be bound again. */
  async close() {
    if (this.isClosed) return;
    this.isClosed = true;
    const { slot } = this;
    this.leave();
    await this.#awaitClosedSockets(slot);
    for (const kind of KINDS) {
      if (this.tracks[kind]) this.ports.releaseTrack(this.tracks[kind].ports);
      this.tracks[kind] = null;
    }
  }

  /**
   * Return the Router with the given payload types: the room's own, or one to which its tracks are piped.
   *
   * @param {{video: number, audio: number|null, audioCodec: string|null}|null} payloadTypes null: any
   * @returns {Promise<{source: {router: object, openTracks: object[]}, release: () => void}>} `release` ends this
   *   player's use of it
   */
  async sourceFor(payloadTypes) {
    if (payloadTypes === null || PipedRouter.isOwn(payloadTypes)) return { source: this, release: () => {} };
    const key = `${payloadTypes.video} ${payloadTypes.audio}`;
    let opening = this.#piped.get(key);
    if (!opening) {
      opening = PipedRouter.open(this, payloadTypes);
      this.#piped.set(key, opening);
      opening.catch(() => this.#piped.get(key) === opening && this.#piped.delete(key));
    }
    const piped = await opening;
    piped.users += 1;
    let isReleased = false;
    const release = () => {
      if (isReleased) return;
      isReleased = true;
      piped.users -= 1;
      if (piped.users > 0) return;
      if (this.#piped.get(key) === opening) this.#piped.delete(key);
      piped.close();
    };
    return { source: piped, release };
  }

  /** Wait until the Worker has closed sockets, which mediasoup's close() does not: it answers requests in order. */
  async #awaitClosedSockets(slot) {
    if (slot?.isAlive) await slot.worker.getResourceUsage().catch(() => {});
  }

  async #openTrack(track) {
    await track.open(this.router, { ingestIp: this.ports.ingestIp, sourceIp: this.sourceIp });
  }

  /** Retire the piped Routers: they get no new players, and each closes with its last player. */
  closePiped() {
    for (const opening of this.#piped.values())
      opening.then(
        (piped) => piped.retire(),
        () => {},
      );
    this.#piped.clear();
  }
}
