// A WebSocket whose server side is the test.

export class FakeSocket {
  readyState: number = WebSocket.CONNECTING;
  sent: { id: number; method: string; data: unknown }[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((message: MessageEvent) => void) | null = null;
  onclose: ((closing: CloseEvent) => void) | null = null;

  send(text: string): void {
    this.sent.push(JSON.parse(text) as (typeof this.sent)[number]);
  }

  close(): void {
    this.readyState = WebSocket.CLOSED;
  }

  open(): void {
    this.readyState = WebSocket.OPEN;
    this.onopen?.();
  }

  receive(message: unknown): void {
    this.onmessage?.({ data: JSON.stringify(message) } as MessageEvent);
  }

  closeFromServer(code: number): void {
    this.readyState = WebSocket.CLOSED;
    this.onclose?.({ code, reason: '' } as CloseEvent);
  }
}
