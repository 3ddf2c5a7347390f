// The stream of events: cut into events, opened again where it was, and given up when nothing comes.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { EventParser, EventStream, FIRST_BYTES_MS, FIRST_PAUSE_MS, SILENCE_MS, type EventFields } from './eventStream';

/** A server whose connections a test feeds. */
class FakeServer {
  connections: { headers: Record<string, string>; send: (text: string) => void; end: () => void }[] = [];
  status = 200;

  fetch = vi.fn((_address: string, options: RequestInit) => {
    if (this.status !== 200) return Promise.resolve(new Response('', { status: this.status }));
    let controller!: ReadableStreamDefaultController<Uint8Array>;
    const body = new ReadableStream<Uint8Array>({ start: (started) => void (controller = started) });
    options.signal!.addEventListener('abort', () => {
      try {
        controller.error(new DOMException('aborted', 'AbortError'));
      } catch {
        // It has ended already.
      }
    });
    this.connections.push({
      headers: options.headers as Record<string, string>,
      send: (text) => controller.enqueue(new TextEncoder().encode(text)),
      end: () => controller.close(),
    });
    return Promise.resolve(new Response(body));
  });
}

let server: FakeServer;
let stream: EventStream;
const listener = { onEvent: vi.fn(), onReset: vi.fn(), onLive: vi.fn() };
const settle = () => vi.advanceTimersByTimeAsync(0);

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
  server = new FakeServer();
  vi.stubGlobal('fetch', server.fetch);
  stream = new EventStream(listener);
});

afterEach(() => {
  stream.close();
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  vi.clearAllMocks();
});

test('a parser joins pieces and keeps the fields', () => {
  const found: EventFields[] = [];
  const parser = new EventParser((fields) => found.push(fields));
  parser.push('retry: 2000\nid: 4\n\nid: 5\nevent: st');
  parser.push('ate\ndata: {"a":"x: y"}\n\nid: 6\n:\n\n');
  expect(found).toEqual([
    { id: '4', event: 'message', data: null },
    { id: '5', event: 'state', data: '{"a":"x: y"}' },
    { id: '6', event: 'message', data: null },
  ]);
});

test('events are passed on, and the page is live from the first bytes on', async () => {
  stream.open();
  await settle();
  expect(listener.onLive).not.toHaveBeenCalled();
  server.connections[0]!.send('retry: 2000\nid: 4\n\nid: 5\nevent: state\ndata: {"kind":"state"}\n\n');
  await settle();
  expect(listener.onLive.mock.calls).toEqual([[true]]);
  expect(listener.onEvent.mock.calls).toEqual([[{ kind: 'state' }]]);
  expect(listener.onReset).not.toHaveBeenCalled();
});

test('a stream that ends goes on where it was, without reading everything again', async () => {
  stream.open();
  await settle();
  server.connections[0]!.send('id: 7\n\n');
  await settle();
  server.connections[0]!.end();
  await vi.advanceTimersByTimeAsync(FIRST_PAUSE_MS);
  expect(server.connections[1]!.headers['Last-Event-ID']).toBe('7');
  server.connections[1]!.send(':\n\n');
  await settle();
  expect(listener.onReset).not.toHaveBeenCalled();
  expect(listener.onLive.mock.calls).toEqual([[true], [true]]);
});

test('a proxy that holds everything back counts as away', async () => {
  stream.open();
  await vi.advanceTimersByTimeAsync(FIRST_BYTES_MS);
  expect(listener.onLive.mock.calls).toEqual([[false]]);
});

test('a connection that falls silent is replaced', async () => {
  stream.open();
  await settle();
  server.connections[0]!.send('id: 7\n\n');
  await vi.advanceTimersByTimeAsync(SILENCE_MS + FIRST_PAUSE_MS);
  expect(server.connections).toHaveLength(2);
});

test('a server that refuses is asked less and less often', async () => {
  server.status = 503;
  stream.open();
  await vi.advanceTimersByTimeAsync(120_000);
  expect(server.fetch.mock.calls.length).toBeLessThan(10);
  expect(server.fetch.mock.calls.length).toBeGreaterThan(4);
  server.status = 200;
  while (server.connections.length === 0) await vi.advanceTimersByTimeAsync(1_000);
  server.connections[0]!.send('id: 1\n\n');
  await settle();
  expect(listener.onLive).toHaveBeenLastCalledWith(true);
});

test('a reset of the server is passed on', async () => {
  stream.open();
  await settle();
  server.connections[0]!.send('event: reset\ndata: {"reason":"unknown_id"}\n\n');
  await settle();
  expect(listener.onReset).toHaveBeenCalledOnce();
  expect(listener.onEvent).not.toHaveBeenCalled();
});

test('a closed stream opens no further connection', async () => {
  stream.open();
  await settle();
  stream.close();
  await vi.advanceTimersByTimeAsync(120_000);
  expect(server.fetch).toHaveBeenCalledOnce();
});
