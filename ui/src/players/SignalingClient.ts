// One WebSocket to the SFU: numbered requests, their responses, and events.
import { PlaybackLost, type LossKind } from './playerState';

interface Envelope {
  id?: number;
  ok?: boolean;
  data?: unknown;
  error?: { code?: string; message?: string };
  event?: string;
}

interface Pending {
  resolve(data: unknown): void;
  reject(error: Error): void;
  timer: ReturnType<typeof setTimeout>;
}

const REQUEST_TIMEOUT_MS = 10_000;

const LOSS_BY_CLOSE_CODE: Record<number, LossKind> = {
  4401: 'unauthorized',
  4404: 'no_stream',
  4429: 'too_many_viewers',
};

export type WebSocketFactory = (url: string) => WebSocket;

export class SignalingClient {
  onEvent: (event: string, data: unknown) => void = () => {};
  /** Called once, and not after close(). */
  onClosed: (loss: PlaybackLost) => void = () => {};

  private readonly socket: WebSocket;
  private readonly pending = new Map<number, Pending>();
  private unsent: string[] = [];
  private nextId = 1;
  private isClosed = false;

  constructor(url: string, openSocket: WebSocketFactory = (address) => new WebSocket(address)) {
    this.socket = openSocket(url);
    this.socket.onopen = () => {
      for (const text of this.unsent) this.socket.send(text);
      this.unsent = [];
    };
    this.socket.onmessage = (message: MessageEvent<unknown>) => this.receive(message.data);
    this.socket.onclose = (closing: CloseEvent) => this.fail(closing.code, closing.reason);
  }

  /** Sends at once, or as soon as the socket is open. Requests may be pipelined. */
  request<T>(method: string, data: object = {}): Promise<T> {
    if (this.isClosed)
      return Promise.reject(new PlaybackLost('signalling_closed', 'the connection to the media server is closed'));
    const id = this.nextId;
    this.nextId += 1;
    const text = JSON.stringify({ id, method, data });
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(text);
    else this.unsent.push(text);
    return new Promise<T>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.pending.delete(id);
        reject(new PlaybackLost('network', `the media server did not answer '${method}' in time`));
      }, REQUEST_TIMEOUT_MS);
      this.pending.set(id, { resolve: resolve as (data: unknown) => void, reject, timer });
    });
  }

  /** May be called twice. */
  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.rejectPending(new PlaybackLost('signalling_closed', 'closed by the player'));
    this.socket.onclose = null;
    this.socket.onmessage = null;
    this.socket.onopen = null;
    this.socket.close(1000);
  }

  private receive(raw: unknown): void {
    let message: Envelope;
    try {
      message = JSON.parse(String(raw)) as Envelope;
    } catch {
      return;
    }
    if (message.event) {
      this.onEvent(message.event, message.data);
      return;
    }
    const pending = message.id === undefined ? undefined : this.pending.get(message.id);
    if (!pending || message.id === undefined) return;
    this.pending.delete(message.id);
    clearTimeout(pending.timer);
    if (message.ok) pending.resolve(message.data ?? {});
    else pending.reject(new PlaybackLost('server_error', message.error?.message ?? 'the media server refused'));
  }

  private fail(code: number, reason: string): void {
    if (this.isClosed) return;
    this.isClosed = true;
    const kind = LOSS_BY_CLOSE_CODE[code] ?? 'signalling_closed';
    const loss = new PlaybackLost(kind, reason || 'the connection to the media server closed');
    this.rejectPending(loss);
    this.onClosed(loss);
  }

  private rejectPending(error: Error): void {
    for (const pending of this.pending.values()) {
      clearTimeout(pending.timer);
      pending.reject(error);
    }
    this.pending.clear();
  }
}
