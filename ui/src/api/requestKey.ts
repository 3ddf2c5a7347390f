// Keys for the header Idempotency-Key, which makes a repeated request safe.

/** 128 random bits as hex. Works also over plain HTTP, where `crypto` has no randomUUID. */
export function newRequestKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
