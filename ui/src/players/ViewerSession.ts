// One attempt at a live view: a signalling socket, a WebRTC transport and its consumers. It ends once and is
// then discarded; WebRtcPlayer decides about the next attempt.
import type { Consumer, RtpCapabilities, RtpParameters, Transport, TransportOptions } from 'mediasoup-client/types';
import { recallRoute, rememberRoute } from './playerMemory';
import { PlaybackLost } from './playerState';
import { deviceFor } from './routerDevice';
import { SignalingClient, type WebSocketFactory } from './SignalingClient';

interface Room {
  routerRtpCapabilities: RtpCapabilities;
  transport: TransportOptions;
}

interface Joined extends Partial<Room> {
  device_id: string;
  available: boolean;
}

interface OfferedConsumer {
  id: string;
  producerId: string;
  kind: 'audio' | 'video';
  rtpParameters: RtpParameters;
}

/** Consumers that were requested with remembered capabilities; `offered` is null when the server refused. */
interface EarlyConsumers {
  capabilities: RtpCapabilities;
  offered: OfferedConsumer[] | null;
}

export interface SessionListener {
  /** Tracks to show; frames follow with the camera's next key frame. The same stream again means that its tracks changed. */
  onTracks(stream: MediaStream): void;
  /** The current tracks end now: the last chance to capture their picture. */
  onTracksEnding(): void;
  /** The session is established, but the camera sends nothing. */
  onUnavailable(): void;
  /** Called once; the session is closed already. */
  onLost(loss: PlaybackLost): void;
}

export interface SessionOptions {
  openSocket?: WebSocketFactory | undefined;
}

const ICE_CONNECT_TIMEOUT_MS = 10_000;
const ICE_RESTART_TIMEOUT_MS = 5_000;
const DISCONNECTED_GRACE_MS = 1_500;

/** Prefers low latency to smoothness, for video only: without a buffer, sound would crackle. */
function preferLatency(receiver: RTCRtpReceiver): void {
  if ('jitterBufferTarget' in receiver) receiver.jitterBufferTarget = 0;
  if ('playoutDelayHint' in receiver) (receiver as { playoutDelayHint?: number }).playoutDelayHint = 0;
}

export class ViewerSession {
  private readonly signaling: SignalingClient;
  private readonly listener: SessionListener;
  private transport: Transport | null = null;
  private room: Room | null = null;
  /** One per room: later tracks are added to it. */
  private stream: MediaStream | null = null;
  private consumers = new Map<string, Consumer>();
  private iceTimer: ReturnType<typeof setTimeout> | undefined;
  private hasRestartedIce = false;
  private isClosed = false;
  /** Compared to drop results that belong to a room that was left. */
  private generation = 0;
  private iceServers: RTCIceServer[] = [];

  constructor(url: string, listener: SessionListener, options: SessionOptions = {}) {
    this.listener = listener;
    this.signaling = new SignalingClient(url, options.openSocket);
    this.signaling.onClosed = (loss) => this.lose(loss);
    this.signaling.onEvent = (event, data) => this.handleEvent(event, data);
  }

  async join(token: string, iceServers: RTCIceServer[]): Promise<void> {
    this.iceServers = iceServers;
    try {
      const joining = this.signaling.request<Joined>('join', { token });
      // With the browser's capabilities known from the last view, the tracks are requested together with the join.
      const { capabilities } = recallRoute();
      const early = capabilities ? this.requestEarly(capabilities as RtpCapabilities) : null;
      const joined = await joining;
      if (joined.available && joined.routerRtpCapabilities && joined.transport) {
        await this.enterRoom(
          { routerRtpCapabilities: joined.routerRtpCapabilities, transport: joined.transport },
          early,
        );
      } else if (!this.isClosed) {
        this.listener.onUnavailable();
      }
    } catch (error) {
      this.lose(error);
    }
  }

  stats(): Promise<RTCStatsReport | null> {
    return this.transport && !this.transport.closed ? this.transport.getStats() : Promise.resolve(null);
  }

  /** Requests new ICE credentials for the same transport; if that does not help in time, the session is lost. */
  async restartIce(): Promise<void> {
    const transport = this.transport;
    if (!transport || this.hasRestartedIce) return;
    this.hasRestartedIce = true;
    this.watchIce(ICE_RESTART_TIMEOUT_MS);
    try {
      const { iceParameters } = await this.signaling.request<Pick<TransportOptions, 'iceParameters'>>('restartIce');
      if (transport === this.transport && !transport.closed) await transport.restartIce({ iceParameters });
    } catch (error) {
      this.lose(error);
    }
  }

  pause(): void {
    this.signaling.request('pause').catch(() => {});
  }

  resume(): void {
    this.signaling.request('resume').catch((error: unknown) => this.lose(error));
  }

  /** May be called twice. */
  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.signaling.request('leave').catch(() => {});
    this.leaveRoom();
    this.signaling.close();
  }

  private handleEvent(event: string, data: unknown): void {
    if (event === 'streamAvailable') {
      this.enterRoom(data as Room).catch((error: unknown) => this.lose(error));
    } else if (event === 'streamEnded') {
      this.leaveRoom();
      this.listener.onUnavailable();
    } else if (event === 'producersChanged' && this.room && this.transport) {
      this.consume(this.room, this.transport, this.generation).catch((error: unknown) => this.lose(error));
    }
  }

  private requestConsumers(rtpCapabilities: RtpCapabilities): Promise<OfferedConsumer[]> {
    return this.signaling
      .request<{ consumers: OfferedConsumer[] }>('consume', { rtpCapabilities })
      .then((answer) => answer.consumers);
  }

  private async requestEarly(capabilities: RtpCapabilities): Promise<EarlyConsumers> {
    return { capabilities, offered: await this.requestConsumers(capabilities).catch(() => null) };
  }

  private async enterRoom(room: Room, early: Promise<EarlyConsumers> | null = null): Promise<void> {
    this.leaveRoom();
    const generation = this.generation;
    const device = await deviceFor(room.routerRtpCapabilities);
    if (this.isClosed || generation !== this.generation) return;
    if (!device.rtpCapabilities.codecs?.some((codec) => codec.mimeType.toLowerCase() === 'video/h264')) {
      throw new PlaybackLost('unsupported', 'this browser cannot decode H.264 over WebRTC');
    }
    const transport = device.createRecvTransport({
      ...room.transport,
      iceServers: this.iceServers.length > 0 ? this.iceServers : (room.transport.iceServers ?? []),
    });
    transport.on('connect', ({ dtlsParameters }, done) => {
      // Socket and server keep the order of requests: nothing has to wait for this response.
      this.signaling.request('connectTransport', { dtlsParameters }).catch((error: unknown) => this.lose(error));
      this.signaling.request('resume').catch((error: unknown) => this.lose(error));
      done();
    });
    transport.on('connectionstatechange', (state) => this.followIce(transport, state));
    this.room = room;
    this.transport = transport;
    this.watchIce(ICE_CONNECT_TIMEOUT_MS);
    await this.consume(room, transport, generation, early);
  }

  /** Consumes the tracks that the room offers now; consumers that it no longer offers are closed. */
  private async consume(
    room: Room,
    transport: Transport,
    generation: number,
    early: Promise<EarlyConsumers> | null = null,
  ): Promise<void> {
    const device = await deviceFor(room.routerRtpCapabilities);
    const isFirst = this.consumers.size === 0;
    const known = await early;
    // Remembered from a server with other codecs, the capabilities may have left out a track.
    const isComplete = JSON.stringify(known?.capabilities) === JSON.stringify(device.recvRtpCapabilities);
    const offered = (isComplete && known?.offered) || (await this.requestConsumers(device.recvRtpCapabilities));
    rememberRoute({ capabilities: device.recvRtpCapabilities });
    if (this.isClosed || generation !== this.generation) return;
    for (const [id, consumer] of this.consumers) {
      if (offered.some((offer) => offer.id === id)) continue;
      consumer.close();
      this.stream?.removeTrack(consumer.track);
      this.consumers.delete(id);
    }
    const fresh = offered.filter((offer) => !this.consumers.has(offer.id));
    const taken = await Promise.all(
      fresh.map((offer) =>
        transport.consume({
          ...offer,
          // Separate stream ids, so that the browser does not delay video to synchronise it with the sound.
          streamId: `${offer.kind}-${transport.id}`,
          onRtpReceiver: (receiver) => {
            if (offer.kind === 'video') preferLatency(receiver);
          },
        }),
      ),
    );
    if (this.isClosed || generation !== this.generation) {
      for (const consumer of taken) consumer.close();
      return;
    }
    for (const consumer of taken) this.consumers.set(consumer.id, consumer);
    if (!isFirst) await this.signaling.request('resume');
    if (this.isClosed || generation !== this.generation) return;
    if (this.consumers.size === 0) {
      this.listener.onUnavailable();
      return;
    }
    this.stream ??= new MediaStream();
    for (const consumer of taken) this.stream.addTrack(consumer.track);
    this.listener.onTracks(this.stream);
  }

  private leaveRoom(): void {
    if (this.stream) this.listener.onTracksEnding();
    this.generation += 1;
    clearTimeout(this.iceTimer);
    this.hasRestartedIce = false;
    this.consumers.clear();
    this.stream = null;
    this.transport?.close();
    this.transport = null;
    this.room = null;
  }

  private followIce(transport: Transport, state: string): void {
    if (transport !== this.transport) return;
    if (state === 'connected') {
      clearTimeout(this.iceTimer);
      this.hasRestartedIce = false;
    } else if (state === 'failed') {
      if (this.hasRestartedIce)
        this.lose(new PlaybackLost('ice_failed', 'the connection to the media server was lost'));
      else void this.restartIce();
    } else if (state === 'disconnected') {
      clearTimeout(this.iceTimer);
      this.iceTimer = setTimeout(() => void this.restartIce(), DISCONNECTED_GRACE_MS);
    }
  }

  private watchIce(limitMs: number): void {
    clearTimeout(this.iceTimer);
    this.iceTimer = setTimeout(() => {
      if (this.transport?.connectionState === 'connected') return;
      this.lose(
        new PlaybackLost('ice_failed', 'no connection to the media server; its ports may be blocked (UDP and TCP)'),
      );
    }, limitMs);
  }

  private lose(error: unknown): void {
    if (this.isClosed) return;
    const loss =
      error instanceof PlaybackLost
        ? error
        : new PlaybackLost('server_error', String((error as Error)?.message ?? error));
    this.close();
    this.listener.onLost(loss);
  }
}
