// One attempt at a live view, against an SFU that the test simulates.
import { beforeEach, expect, test, vi } from 'vitest';
import { FakeSocket } from '../../test/FakeSocket';
import { PlaybackLost } from './playerState';
import { ViewerSession, type SessionListener } from './ViewerSession';

const device = {
  rtpCapabilities: { codecs: [{ mimeType: 'video/H264' }] },
  recvRtpCapabilities: { codecs: ['codecs of this browser'] },
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
let listener: { [K in keyof SessionListener]: ReturnType<typeof vi.fn<SessionListener[K]>> };

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
  listener = { onTracks: vi.fn(), onTracksEnding: vi.fn(), onUnavailable: vi.fn(), onLost: vi.fn() };
  socket = new FakeSocket();
  session = new ViewerSession('ws://sfu', listener, { openSocket: () => socket as unknown as WebSocket });
});

test('connecting and resuming do not wait for a response', async () => {
  await goLive();
  expect(methods()).toEqual(['join', 'consume', 'connectTransport', 'resume']);
  expect(listener.onTracks).toHaveBeenCalledOnce();
});

test('known capabilities of the browser are sent together with the token', async () => {
  await goLive();
  const next = new FakeSocket();
  socket = next;
  session = new ViewerSession('ws://sfu', listener, { openSocket: () => next as unknown as WebSocket });
  void session.join('token', []);
  next.open();
  expect(methods()).toEqual(['join', 'consume']);
  await answer('join', { device_id: 'd', available: true, ...room });
  await answer('consume', { consumers: [offer('2')] });
  expect(methods()).toEqual(['join', 'consume', 'connectTransport', 'resume']);
  expect(listener.onTracks).toHaveBeenCalledTimes(2);
});

test('capabilities that were remembered from a server with other codecs leave out no track', async () => {
  localStorage.setItem('vas.route', JSON.stringify({ capabilities: {}, userAgent: navigator.userAgent }));
  void session.join('token', []);
  socket.open();
  await answer('join', { device_id: 'd', available: true, ...room });
  await answer('consume', { consumers: [offer('1')] });
  await answer('consume', { consumers: [offer('1'), offer('2', 'audio')] });
  expect(methods()).toEqual(['join', 'consume', 'consume', 'connectTransport', 'resume']);
  expect(transports[0]?.consume).toHaveBeenCalledTimes(2);
});

test('tracks that were requested too early are requested again', async () => {
  localStorage.setItem('vas.route', JSON.stringify({ capabilities: {}, userAgent: navigator.userAgent }));
  void session.join('token', []);
  socket.open();
  socket.receive({ id: 2, ok: false, error: { message: "'join' comes first" } });
  await answer('join', { device_id: 'd', available: true, ...room });
  await answer('consume', { consumers: [offer('1')] });
  expect(methods()).toEqual(['join', 'consume', 'consume', 'connectTransport', 'resume']);
  expect(listener.onLost).not.toHaveBeenCalled();
});

test('a missing room is reported and entered once it exists', async () => {
  void session.join('token', []);
  socket.open();
  await answer('join', { device_id: 'd', available: false, routerRtpCapabilities: null, transport: null });
  expect(listener.onUnavailable).toHaveBeenCalledOnce();
  socket.receive({ event: 'streamAvailable', data: room });
  await settle();
  await answer('consume', { consumers: [offer('1')] });
  expect(listener.onTracks).toHaveBeenCalledOnce();
});

test('the end of a stream is reported before its transport is closed, so that its picture can be kept', async () => {
  await goLive();
  listener.onTracksEnding.mockImplementation(() => expect(transports[0]?.closed).toBe(false));
  socket.receive({ event: 'streamEnded', data: {} });
  expect(listener.onTracksEnding).toHaveBeenCalledOnce();
  expect(transports[0]?.closed).toBe(true);
  expect(listener.onUnavailable).toHaveBeenCalledOnce();
});

test('a later audio track joins the same stream', async () => {
  await goLive();
  socket.receive({ event: 'producersChanged', data: {} });
  await settle();
  await answer('consume', { consumers: [offer('1'), offer('2', 'audio')] });
  await answer('resume', {});
  const streams = listener.onTracks.mock.calls.map(([stream]) => stream);
  expect(streams).toHaveLength(2);
  expect(streams[0]).toBe(streams[1]);
  expect((streams[1] as unknown as FakeStream).tracks).toEqual([{ id: '1' }, { id: '2' }]);
  expect(transports[0]?.consume).toHaveBeenCalledTimes(2);
});

test('a lost connection is restarted once on the same transport, then the session is lost', async () => {
  await goLive();
  transports[0]?.emit('connectionstatechange', 'failed');
  await answer('restartIce', { iceParameters: 'fresh' });
  expect(transports[0]?.iceParameters).toBe('fresh');
  expect(listener.onLost).not.toHaveBeenCalled();
  transports[0]?.emit('connectionstatechange', 'failed');
  expect(listener.onLost.mock.calls[0]?.[0]).toMatchObject({ kind: 'ice_failed' });
  expect(transports[0]?.closed).toBe(true);
});

test('a closed socket ends the session once and closes its transport', async () => {
  await goLive();
  socket.closeFromServer(1006);
  expect(listener.onLost).toHaveBeenCalledOnce();
  expect(listener.onLost.mock.calls[0]?.[0]).toBeInstanceOf(PlaybackLost);
  expect(transports[0]?.closed).toBe(true);
});

test('a browser without H.264 is reported as unsupported', async () => {
  device.rtpCapabilities = { codecs: [{ mimeType: 'video/VP8' }] };
  await goLive();
  expect(listener.onLost.mock.calls[0]?.[0]).toMatchObject({ kind: 'unsupported' });
  device.rtpCapabilities = { codecs: [{ mimeType: 'video/H264' }] };
});
