// The stream of events of the service (server-sent events), read with fetch: silence and buffering proxies are noticed.
import { API_ROOT } from './http';

/** An event, or a passing fact (`change` is `passing`, without an id). */
export interface ServiceEvent {
  id?: number;
  cursor?: number;
  change: 'recorded' | 'began' | 'changed' | 'ended' | 'passing';
  kind: string;
  device_id: string | null;
  plugin: string | null;
  label?: string | null;
  data: Record<string, unknown>;
}

export interface StreamListener {
  onEvent: (event: ServiceEvent) => void;
  /** Events may have been missed: everything is to be read again. */
  onReset: () => void;
  /** Whether changes arrive at once. */
  onLive: (isLive: boolean) => void;
}

/** The server sends something at once, and then at least every 15 seconds. */
export const FIRST_BYTES_MS = 8_000;
export const SILENCE_MS = 40_000;
export const FIRST_PAUSE_MS = 1_000;
export const LONGEST_PAUSE_MS = 30_000;

/** All events; of passing facts not those that come many times a second, such as boxes of objects. */
export const SERVICE_QUERY = 'passing=1&passing_kind=job&passing_kind=snapshot';

/** Opens the stream again whenever it ends, and goes on where it was. */
export class EventStream {
  private readonly listener: StreamListener;
  private readonly query: string;
  private connection: AbortController | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private lastId: string | null = null;
  private failures = 0;
  private hasBeenOpen = false;

  /** `query` says which events come. */
  constructor(listener: StreamListener, query = SERVICE_QUERY) {
    this.listener = listener;
    this.query = query;
  }

  /** May be called again. */
  open(): void {
    if (this.connection) return;
    clearTimeout(this.timer);
    const connection = new AbortController();
    this.connection = connection;
    void this.read(connection).then(() => {
      if (this.connection !== connection) return;
      this.connection = null;
      const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.failures);
      this.timer = setTimeout(() => this.open(), pause * (0.75 + Math.random() / 2));
    });
  }

  /** Ends the stream; `open` goes on where it was. */
  close(): void {
    clearTimeout(this.timer);
    this.connection?.abort();
    this.connection = null;
    this.failures = 0;
  }

  /** Opens a new connection: the present one may be dead, for example after sleep. */
  reopen(): void {
    this.close();
    this.open();
  }

  /** Reads one connection until it ends; never throws. */
  private async read(connection: AbortController): Promise<void> {
    let watchdog = setTimeout(() => connection.abort(), FIRST_BYTES_MS);
    let hasAnswered = false;
    try {
      const headers: Record<string, string> = { Accept: 'text/event-stream' };
      if (this.lastId !== null) headers['Last-Event-ID'] = this.lastId;
      const response = await fetch(`${API_ROOT}/events/stream?${this.query}`, {
        headers,
        signal: connection.signal,
        cache: 'no-store',
      });
      if (response.status === 422) this.lastId = null;
      if (!response.ok || !response.body) throw new Error(`the stream was answered with ${response.status}`);
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      const parser = new EventParser((fields) => this.take(fields));
      for (;;) {
        const { value, done } = await reader.read();
        if (done) break;
        clearTimeout(watchdog);
        watchdog = setTimeout(() => connection.abort(), SILENCE_MS);
        if (!hasAnswered) {
          hasAnswered = true;
          this.failures = 0;
          if (this.hasBeenOpen && this.lastId === null) this.listener.onReset();
          this.hasBeenOpen = true;
          this.listener.onLive(true);
        }
        parser.push(value);
      }
    } catch {
      // A connection that fails is opened again after a pause.
    } finally {
      clearTimeout(watchdog);
    }
    if (this.connection !== connection) return;
    if (!hasAnswered) {
      this.failures += 1;
      this.listener.onLive(false);
    }
  }

  private take({ id, event, data }: EventFields): void {
    if (id !== null) this.lastId = id;
    if (data === null) return;
    if (event === 'reset') {
      this.listener.onReset();
      return;
    }
    try {
      this.listener.onEvent(JSON.parse(data) as ServiceEvent);
    } catch {
      // What is no JSON is of a newer version.
    }
  }
}

export interface EventFields {
  id: string | null;
  event: string;
  data: string | null;
}

/** Cuts the text of a stream into events (WHATWG HTML, 9.2.6, as far as the service uses it). */
export class EventParser {
  private readonly onFields: (fields: EventFields) => void;
  private rest = '';

  constructor(onFields: (fields: EventFields) => void) {
    this.onFields = onFields;
  }

  push(text: string): void {
    const blocks = (this.rest + text).split('\n\n');
    this.rest = blocks.pop() ?? '';
    for (const block of blocks) this.onFields(parseBlock(block));
  }
}

function parseBlock(block: string): EventFields {
  const fields: EventFields = { id: null, event: 'message', data: null };
  for (const line of block.split('\n')) {
    const colon = line.indexOf(':');
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (name === 'id') fields.id = value;
    else if (name === 'event') fields.event = value;
    else if (name === 'data') fields.data = fields.data === null ? value : `${fields.data}\n${value}`;
  }
  return fields;
}
