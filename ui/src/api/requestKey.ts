// Keys that make a request safe to send twice (the header Idempotency-Key).

/** 128 random bits as text; also where the page came over plain HTTP, whose `crypto` has no randomUUID. */
export function newRequestKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
