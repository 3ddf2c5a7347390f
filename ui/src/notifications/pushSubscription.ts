// Subscribes this browser to a push channel, with the service worker of the UI.

const WORKER = '/push-worker.js';

/** Why this browser cannot be subscribed; null if it can. */
export function pushObstacle(): string | null {
  if (!window.isSecureContext)
    return 'Browsers receive notifications from pages under https only (or on localhost). Open this page under https.';
  if (!('serviceWorker' in navigator) || !('PushManager' in window))
    return 'This browser has no web push. On iPhones and iPads, add this page to the home screen first.';
  return null;
}

/** base64url to bytes, as PushManager takes the channel's key. */
export function decodeKey(key: string): Uint8Array<ArrayBuffer> {
  const base64 = key
    .replaceAll('-', '+')
    .replaceAll('_', '/')
    .padEnd(Math.ceil(key.length / 4) * 4, '=');
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

export interface NewSubscription {
  endpoint: string;
  p256dh: string;
  auth: string;
}

/** Asks for permission and subscribes. Throws an Error that says why it failed. */
export async function subscribeHere(publicKey: string): Promise<NewSubscription> {
  if ((await Notification.requestPermission()) !== 'granted')
    throw new Error('notifications of this page are blocked: allow them in the settings of the browser');
  const registration = await navigator.serviceWorker.register(WORKER);
  await navigator.serviceWorker.ready;
  const key = decodeKey(publicKey);
  const before = await registration.pushManager.getSubscription();
  // A browser has one subscription for a page: that of another channel's key is replaced.
  const isOther = before && !hasKey(before, key);
  if (isOther) await before.unsubscribe();
  const subscription =
    before && !isOther
      ? before
      : await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
  const { endpoint, keys } = subscription.toJSON();
  if (!endpoint || !keys?.p256dh || !keys.auth) throw new Error('the browser gave an incomplete subscription');
  return { endpoint, p256dh: keys.p256dh, auth: keys.auth };
}

function hasKey(subscription: PushSubscription, key: Uint8Array): boolean {
  const own = subscription.options.applicationServerKey;
  if (!own) return false;
  const bytes = new Uint8Array(own);
  return bytes.length === key.length && bytes.every((byte, index) => byte === key[index]);
}

/** A name for people: "Chrome on Android". */
export function nameOfBrowser(agent: string = navigator.userAgent): string {
  const browser =
    [/Edg\//, /OPR\//, /Firefox\//, /Chrome\//, /Safari\//].findIndex((pattern) => pattern.test(agent)) ?? -1;
  const name = ['Edge', 'Opera', 'Firefox', 'Chrome', 'Safari'][browser] ?? 'Browser';
  const system = ['Android', 'iPhone', 'iPad', 'Windows', 'Mac OS X', 'Linux'].find((text) => agent.includes(text));
  return system ? `${name} on ${system}` : name;
}
