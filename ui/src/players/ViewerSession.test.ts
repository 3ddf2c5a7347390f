// One attempt at a live view, against an SFU that the test plays.
import { beforeEach, expect, test, vi } from 'vitest';
import { FakeSocket } from '../../test/FakeSocket';
import { PlaybackLost } from './playerState';
import { ViewerSession, type SessionListener } from './ViewerSession';

const device = {
  rtpCapabilities: { codecs: [{ mimeType: 'video/H264' }] },
  recvRtpCapabilities: { codecs: ['what this browser plays'] },
  createRecvTransport: vi.fn(),
};
vi.mock('./routerDevice', () => ({ deviceFor: () => Promise.resolve(device) }));

class FakeTransport {
  id = 'transport';
  closed = false;
  connectionState = 'new';
  iceParameters: unknown = null;
  handlers: Record<string, (...values: never[]) => void> = {};

  on(event: string, handler: (...values: never[]) => void): void {
    this.handlers[event] = handler;
  }

  emit(event: string, ...values: unknown[]): void {
    this.handlers[event]?.(...(values as never[]));
  }

  consume = vi.fn(({ id, kind }: { id: string; kind: string }) => {
    if (this.connectionState === 'new') {
      this.connectionState = 'connecting';
      this.emit('connect', { dtlsParameters: {} }, () => {});
    }
    return Promise.resolve({ id, kind, track: { id }, close: vi.fn() });
  });

  restartIce = ({ iceParameters }: { iceParameters: unknown }) => {
    this.iceParameters = iceParameters;
    return Promise.resolve();
  };

  getStats = () => Promise.resolve(new Map());

  close(): void {
    this.closed = true;
  }
}

class FakeStream {
  tracks: unknown[] = [];
  addTrack = (track: unknown) => this.tracks.push(track);
  removeTrack = (track: unknown) => (this.tracks = this.tracks.filter((other) => other !== track));
}

const room = { routerRtpCapabilities: {}, transport: { id: 'transport' } };
const offer = (id: string, kind = 'video') => ({ id, producerId: `p${id}`, kind, rtpParameters: {} });

let socket: FakeSocket;
let transports: FakeTransport[];
let session: ViewerSession;
let told: { [K in keyof SessionListener]: ReturnType<typeof vi.fn<SessionListener[K]>> };

const methods = () => socket.sent.map(({ method }) => method);
const settle = () => new Promise((resolve) => setTimeout(resolve, 0));

async function answer(method: string, data: object): Promise<void> {
  const request = socket.sent.findLast((sent) => sent.method === method);
  socket.receive({ id: request?.id, ok: true, data });
  await settle();
}

async function goLive(): Promise<void> {
  void session.join('token', []);
  socket.open();
  await answer('join', { device_id: 'd', available: true, ...room });
  await answer('consume', { consumers: [offer('1')] });
}

beforeEach(() => {
  localStorage.clear();
  vi.stubGlobal('MediaStream', FakeStream);
  transports = [];
  device.createRecvTransport.mockImplementation(() => {
    const transport = new FakeTransport();
    transports.push(transport);
    return transport;
  });
  told = { onTracks: vi.fn(), onTracksEnding: vi.fn(), onUnavailable: vi.fn(), onLost: vi.fn() };
  socket = new FakeSocket();
  session = new ViewerSession('ws://sfu', told, { openSocket: () => socket as unknown as WebSocket });
});

test('connecting and resuming wait for no answer', async () => {
  await goLive();
  expect(methods()).toEqual(['join', 'consume', 'connectTransport', 'resume']);
  expect(told.onTracks).toHaveBeenCalledOnce();
});

test('once known, what the browser plays is sent in the same breath as the token', async () => {
  await goLive();
  const next = new FakeSocket();
  socket = next;
  session = new ViewerSession('ws://sfu', told, { openSocket: () => next as unknown as WebSocket });
  void session.join('token', []);
  next.open();
  expect(methods()).toEqual(['join', 'consume']);
  await answer('join', { device_id: 'd', available: true, ...room });
  await answer('consume', { consumers: [offer('2')] });
  expect(methods()).toEqual(['join', 'consume', 'connectTransport', 'resume']);
  expect(told.onTracks).toHaveBeenCalledTimes(2);
});

test('tracks asked for too early are asked for again', async () => {
  localStorage.setItem('vas.route', JSON.stringify({ capabilities: {}, userAgent: navigator.userAgent }));
  void session.join('token', []);
  socket.open();
  socket.receive({ id: 2, ok: false, error: { message: "'join' comes first" } });
  await answer('join', { device_id: 'd', available: true, ...room });
  await answer('consume', { consumers: [offer('1')] });
  expect(methods()).toEqual(['join', 'consume', 'consume', 'connectTransport', 'resume']);
  expect(told.onLost).not.toHaveBeenCalled();
});

test('without a room it says so and enters when there is one', async () => {
  void session.join('token', []);
  socket.open();
  await answer('join', { device_id: 'd', available: false, routerRtpCapabilities: null, transport: null });
  expect(told.onUnavailable).toHaveBeenCalledOnce();
  socket.receive({ event: 'streamAvailable', data: room });
  await settle();
  await answer('consume', { consumers: [offer('1')] });
  expect(told.onTracks).toHaveBeenCalledOnce();
});

test('a stream that ends lets its picture be kept, then closes its transport', async () => {
  await goLive();
  told.onTracksEnding.mockImplementation(() => expect(transports[0]?.closed).toBe(false));
  socket.receive({ event: 'streamEnded', data: {} });
  expect(told.onTracksEnding).toHaveBeenCalledOnce();
  expect(transports[0]?.closed).toBe(true);
  expect(told.onUnavailable).toHaveBeenCalledOnce();
});

test('sound that comes later joins the same stream', async () => {
  await goLive();
  socket.receive({ event: 'producersChanged', data: {} });
  await settle();
  await answer('consume', { consumers: [offer('1'), offer('2', 'audio')] });
  await answer('resume', {});
  const streams = told.onTracks.mock.calls.map(([stream]) => stream);
  expect(streams).toHaveLength(2);
  expect(streams[0]).toBe(streams[1]);
  expect((streams[1] as unknown as FakeStream).tracks).toEqual([{ id: '1' }, { id: '2' }]);
  expect(transports[0]?.consume).toHaveBeenCalledTimes(2);
});

test('a lost way is first restarted on the same transport, then the session is lost', async () => {
  await goLive();
  transports[0]?.emit('connectionstatechange', 'failed');
  await answer('restartIce', { iceParameters: 'fresh' });
  expect(transports[0]?.iceParameters).toBe('fresh');
  expect(told.onLost).not.toHaveBeenCalled();
  transports[0]?.emit('connectionstatechange', 'failed');
  expect(told.onLost.mock.calls[0]?.[0]).toMatchObject({ kind: 'ice_failed' });
  expect(transports[0]?.closed).toBe(true);
});

test('a closed socket loses the session once, and its transport with it', async () => {
  await goLive();
  socket.closeFromServer(1006);
  expect(told.onLost).toHaveBeenCalledOnce();
  expect(told.onLost.mock.calls[0]?.[0]).toBeInstanceOf(PlaybackLost);
  expect(transports[0]?.closed).toBe(true);
});

test('a browser without H.264 is told so', async () => {
  device.rtpCapabilities = { codecs: [{ mimeType: 'video/VP8' }] };
  await goLive();
  expect(told.onLost.mock.calls[0]?.[0]).toMatchObject({ kind: 'unsupported' });
  device.rtpCapabilities = { codecs: [{ mimeType: 'video/H264' }] };
});
