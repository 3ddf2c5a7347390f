// The live player: connects only on request, reports its state, and reconnects by itself.
import { afterEach, beforeEach, expect, test, vi, type MockInstance } from 'vitest';
import { PlaybackLost } from './playerState';
import type { SessionListener } from './ViewerSession';
import { WebRtcPlayer, type Grant } from './WebRtcPlayer';

class FakeSession {
  isClosed = false;
  tokens: string[] = [];
  iceRestarts = 0;
  readonly url: string;
  readonly listener: SessionListener;

  constructor(url: string, listener: SessionListener) {
    this.url = url;
    this.listener = listener;
  }

  join(token: string): Promise<void> {
    this.tokens.push(token);
    return Promise.resolve();
  }

  stats = () => Promise.resolve(null);
  calls: string[] = [];
  pause = () => void this.calls.push('pause');
  resume = () => void this.calls.push('resume');

  restartIce(): Promise<void> {
    this.iceRestarts += 1;
    return Promise.resolve();
  }

  close(): void {
    this.isClosed = true;
  }
}

let sessions: FakeSession[];
let frames: (() => void)[];
let requestGrant: ReturnType<typeof vi.fn<(signal: AbortSignal) => Promise<Grant>>>;
let player: WebRtcPlayer;
let detach: () => void;
let video: HTMLVideoElement;
let mark: MockInstance<typeof performance.mark>;

const stream = { getAudioTracks: () => [] } as unknown as MediaStream;
const session = () => sessions.at(-1) as FakeSession;
const settle = () => vi.advanceTimersByTimeAsync(0);

function drawFrame(): void {
  const due = frames;
  frames = [];
  for (const callback of due) callback();
}

async function goLive(): Promise<void> {
  player.connect();
  await settle();
  session().listener.onTracks(stream);
  drawFrame();
}

function setOnline(isOnline: boolean): void {
  vi.spyOn(navigator, 'onLine', 'get').mockReturnValue(isOnline);
  window.dispatchEvent(new Event(isOnline ? 'online' : 'offline'));
}

beforeEach(() => {
  vi.useFakeTimers();
  localStorage.clear();
  mark = vi.spyOn(performance, 'mark').mockReturnValue({} as PerformanceMark);
  sessions = [];
  frames = [];
  let token = 0;
  requestGrant = vi.fn(() => {
    token += 1;
    return Promise.resolve({ token: `t${token}`, signaling_url: 'ws://sfu', ice_servers: [] });
  });
  player = new WebRtcPlayer({
    requestGrant,
    fetchFootage: () => Promise.reject(new Error('no footage')),
    createSession: (url, listener) => {
      sessions.push(new FakeSession(url, listener));
      return session();
    },
    random: () => 0,
  });
  video = document.createElement('video');
  video.play = () => Promise.resolve();
  Object.defineProperty(video, 'srcObject', { writable: true, value: null });
  video.requestVideoFrameCallback = (callback) => frames.push(callback as unknown as () => void);
  detach = player.attach(video, document.createElement('video'), document.createElement('canvas'));
});

afterEach(() => {
  detach();
  vi.useRealTimers();
});

test('nothing is connected before connect() is called', async () => {
  await settle();
  expect(requestGrant).not.toHaveBeenCalled();
  expect(video.dataset.playerState).toBe('idle');
});

test('a view goes from connecting to live at its first frame and sets performance marks', async () => {
  player.connect();
  expect(video.dataset.playerState).toBe('connecting');
  await settle();
  expect(session().tokens).toEqual(['t1']);
  session().listener.onTracks(stream);
  expect(video.dataset.playerState).toBe('connecting');
  drawFrame();
  expect(video.dataset.playerState).toBe('live');
  expect(mark.mock.calls.map(([name]) => name)).toEqual([
    'player:connect',
    'player:first-picture',
    'player:first-live-frame',
  ]);
});

test('a lost view reconnects with a new token', async () => {
  await goLive();
  session().listener.onLost(new PlaybackLost('signalling_closed', 'gone'));
  expect(player.getSnapshot()).toMatchObject({ state: 'reconnecting', cause: { kind: 'signalling_closed' } });
  await vi.advanceTimersByTimeAsync(1000);
  expect(session().tokens).toEqual(['t2']);
  session().listener.onTracks(stream);
  drawFrame();
  expect(player.getSnapshot()).toMatchObject({ state: 'live', attempt: 0, cause: null });
});

test('a stream that ends keeps the session and waits', async () => {
  await goLive();
  const first = session();
  first.listener.onUnavailable();
  expect(player.getSnapshot().state).toBe('waiting');
  await vi.advanceTimersByTimeAsync(60_000);
  expect(first.isClosed).toBe(false);
  expect(requestGrant).toHaveBeenCalledOnce();
});

test('the new tracks of a rebuilt room are shown in the same session', async () => {
  await goLive();
  session().listener.onTracks({ getAudioTracks: () => [] } as unknown as MediaStream);
  expect(player.getSnapshot().state).toBe('reconnecting');
  drawFrame();
  expect(player.getSnapshot().state).toBe('live');
  expect(sessions).toHaveLength(1);
});

test('a later audio track does not interrupt the picture', async () => {
  await goLive();
  vi.spyOn(stream, 'getAudioTracks').mockReturnValue([{} as MediaStreamTrack]);
  session().listener.onTracks(stream);
  expect(player.getSnapshot()).toMatchObject({ state: 'live', hasAudio: true });
});

test('a deleted camera is not retried until connect() is called again', async () => {
  requestGrant.mockRejectedValueOnce(new PlaybackLost('deleted', "there is no device 'x'"));
  player.connect();
  await settle();
  expect(player.getSnapshot().state).toBe('failed');
  await vi.advanceTimersByTimeAsync(60_000);
  expect(requestGrant).toHaveBeenCalledOnce();
  player.connect();
  await settle();
  expect(session().tokens).toHaveLength(1);
});

test('the player waits for a stopped camera and connects at once when its stream flows again', async () => {
  requestGrant.mockRejectedValueOnce(new PlaybackLost('stream_stopped', 'the stream is stopped'));
  player.setSourceFlowing(false);
  player.connect();
  await settle();
  expect(player.getSnapshot().state).toBe('waiting');
  player.setSourceFlowing(true);
  await settle();
  expect(requestGrant).toHaveBeenCalledTimes(2);
});

test('the player waits while offline and reconnects when online', async () => {
  await goLive();
  setOnline(false);
  expect(player.getSnapshot()).toMatchObject({ state: 'reconnecting', cause: { kind: 'offline' }, retryAt: null });
  await vi.advanceTimersByTimeAsync(60_000);
  expect(requestGrant).toHaveBeenCalledOnce();
  setOnline(true);
  await settle();
  expect(session().tokens).toEqual(['t2']);
});

test('a session survives some seconds without network', async () => {
  await goLive();
  setOnline(false);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(player.getSnapshot()).toMatchObject({ state: 'reconnecting', cause: { kind: 'offline' } });
  setOnline(true);
  drawFrame();
  await settle();
  expect(player.getSnapshot()).toMatchObject({ state: 'live', cause: null });
  expect(sessions).toHaveLength(1);
  expect(session().iceRestarts).toBe(1);
});

test('a frozen picture is reported, and a new session is opened while the camera sends', async () => {
  await goLive();
  await vi.advanceTimersByTimeAsync(4_000);
  expect(player.getSnapshot()).toMatchObject({ state: 'waiting', cause: { kind: 'no_frames' } });
  await vi.advanceTimersByTimeAsync(5_000);
  expect(sessions.length).toBeGreaterThan(1);
});

test('a picture that freezes because the camera is lost needs no new session', async () => {
  await goLive();
  player.setSourceFlowing(false);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(sessions).toHaveLength(1);
  drawFrame();
  expect(player.getSnapshot().state).toBe('live');
});

function setHidden(isHidden: boolean): void {
  vi.spyOn(document, 'hidden', 'get').mockReturnValue(isHidden);
  document.dispatchEvent(new Event('visibilitychange'));
}

test('a tab that stays hidden and silent receives nothing until it is visible again', async () => {
  await goLive();
  setHidden(true);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(session().calls).toEqual(['pause']);
  setHidden(false);
  expect(session().calls).toEqual(['pause', 'resume']);
  expect(player.getSnapshot().state).toBe('connecting');
  drawFrame();
  expect(player.getSnapshot().state).toBe('live');
  expect(sessions).toHaveLength(1);
});

test('the time in a hidden tab does not count as a frozen picture', async () => {
  await goLive();
  setHidden(true);
  await vi.advanceTimersByTimeAsync(20_000);
  setHidden(false);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(player.getSnapshot().state).toBe('live');
  expect(sessions).toHaveLength(1);
});

test.each(['visible', 'hidden'])(
  'a device that slept for hours with a %s tab opens another session at once',
  async (tab) => {
    await goLive();
    if (tab === 'hidden') {
      setHidden(true);
      await vi.advanceTimersByTimeAsync(60_000);
    }
    vi.setSystemTime(Date.now() + 5 * 3_600_000);
    if (tab === 'hidden') setHidden(false);
    await vi.advanceTimersByTimeAsync(600);
    expect(sessions).toHaveLength(2);
    expect(sessions[0]?.isClosed).toBe(true);
    session().listener.onTracks({ getAudioTracks: () => [] } as unknown as MediaStream);
    drawFrame();
    expect(player.getSnapshot()).toMatchObject({ state: 'live', cause: null, attempt: 0 });
  },
);

test('a tab that was hidden for hours keeps its session, however rarely its timers run', async () => {
  await goLive();
  setHidden(true);
  await vi.advanceTimersByTimeAsync(31_000);
  for (let minute = 0; minute < 5; minute += 1) {
    vi.setSystemTime(Date.now() + 59_000);
    await vi.advanceTimersByTimeAsync(1_000);
  }
  setHidden(false);
  expect(session().calls).toEqual(['pause', 'resume']);
  expect(sessions).toHaveLength(1);
});

test('a viewer who disconnected is not connected by a device that wakes up', async () => {
  await goLive();
  player.disconnect();
  vi.setSystemTime(Date.now() + 5 * 3_600_000);
  setHidden(false);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(sessions).toHaveLength(1);
});

test('disconnect closes the session and ends all attempts', async () => {
  await goLive();
  session().listener.onLost(new PlaybackLost('network', 'gone'));
  player.disconnect();
  player.disconnect();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(requestGrant).toHaveBeenCalledOnce();
  expect(player.getSnapshot().state).toBe('idle');
});

test('the next view opens its socket while the token is being requested', async () => {
  await goLive();
  player.disconnect();
  player.connect();
  expect(sessions).toHaveLength(2);
  expect(session().tokens).toEqual([]);
  await settle();
  expect(session().tokens).toEqual(['t2']);
});

test('a socket that closes before its token arrives is replaced', async () => {
  await goLive();
  player.disconnect();
  player.connect();
  session().listener.onLost(new PlaybackLost('signalling_closed', 'join timeout'));
  await settle();
  expect(sessions).toHaveLength(3);
  expect(session().tokens).toEqual(['t2']);
  expect(player.getSnapshot().state).toBe('connecting');
});

test('a socket at an old address is closed when the token names another address', async () => {
  await goLive();
  player.disconnect();
  requestGrant.mockResolvedValueOnce({ token: 't', signaling_url: 'ws://other', ice_servers: [] });
  player.connect();
  const early = session();
  await settle();
  expect(early.isClosed).toBe(true);
  expect(session().url).toBe('ws://other');
});
