// Requests, responses, events and the end of a signalling socket.
import { beforeEach, expect, test, vi } from 'vitest';
import { FakeSocket } from '../../test/FakeSocket';
import type { PlaybackLost } from './playerState';
import { SignalingClient } from './SignalingClient';

let socket: FakeSocket;
let client: SignalingClient;

beforeEach(() => {
  socket = new FakeSocket();
  client = new SignalingClient('ws://sfu/signaling', () => socket as unknown as WebSocket);
});

test('requests made before the socket is open are sent in order when it opens', () => {
  void client.request('join', { token: 't' });
  void client.request('consume');
  expect(socket.sent).toEqual([]);
  socket.open();
  expect(socket.sent.map(({ id, method }) => [id, method])).toEqual([
    [1, 'join'],
    [2, 'consume'],
  ]);
});

test('a response resolves the request with its number, in any order', async () => {
  socket.open();
  const first = client.request('a');
  const second = client.request('b');
  socket.receive({ id: 2, ok: true, data: { b: 2 } });
  socket.receive({ id: 1, ok: true, data: { a: 1 } });
  await expect(first).resolves.toEqual({ a: 1 });
  await expect(second).resolves.toEqual({ b: 2 });
});

test('an error response rejects with its message', async () => {
  socket.open();
  const request = client.request('consume');
  socket.receive({ id: 1, ok: false, error: { code: 'not_joined', message: "'join' comes first" } });
  await expect(request).rejects.toMatchObject({ kind: 'server_error', message: "'join' comes first" });
});

test('events arrive with their data, and garbage is ignored', () => {
  const onEvent = vi.fn();
  client.onEvent = onEvent;
  socket.open();
  socket.onmessage?.({ data: 'no json' } as MessageEvent);
  socket.receive({ event: 'streamEnded', data: {} });
  expect(onEvent.mock.calls).toEqual([['streamEnded', {}]]);
});

test.each([
  [4401, 'unauthorized'],
  [4404, 'no_stream'],
  [4429, 'too_many_viewers'],
  [4408, 'signalling_closed'],
  [1006, 'signalling_closed'],
])('close code %i is %s, reported once, and rejects pending requests', async (code, kind) => {
  const onClosed = vi.fn<(loss: PlaybackLost) => void>();
  client.onClosed = onClosed;
  socket.open();
  const request = client.request('join');
  socket.closeFromServer(code);
  await expect(request).rejects.toMatchObject({ kind });
  expect(onClosed).toHaveBeenCalledOnce();
  expect(onClosed.mock.calls[0]?.[0].kind).toBe(kind);
});

test('close() is not reported, may be called twice, and rejects pending requests', async () => {
  const onClosed = vi.fn();
  client.onClosed = onClosed;
  socket.open();
  const request = client.request('join');
  client.close();
  client.close();
  await expect(request).rejects.toMatchObject({ kind: 'signalling_closed' });
  expect(onClosed).not.toHaveBeenCalled();
});

test('a request without a response times out', async () => {
  vi.useFakeTimers();
  socket.open();
  const request = client.request('join');
  const outcome = expect(request).rejects.toMatchObject({ kind: 'network' });
  await vi.runAllTimersAsync();
  await outcome;
  vi.useRealTimers();
});
