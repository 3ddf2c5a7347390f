// Caches mediasoup-client Devices by router capabilities. All routers offer the same codecs, so after the
// first view the capabilities are known and a reconnect does not load them again.
import type { Device, RtpCapabilities } from 'mediasoup-client/types';
import { PlaybackLost } from './playerState';

/** Loads mediasoup-client; the page of a player starts it early, so that no view waits for it. */
export const loadMediasoup = () => import('mediasoup-client');

const loaded = new Map<string, Promise<Device>>();

async function load(routerRtpCapabilities: RtpCapabilities): Promise<Device> {
  const library = await loadMediasoup().catch(() => {
    throw new PlaybackLost('network', 'the player could not be loaded');
  });
  let device: Device;
  try {
    device = await library.Device.factory();
  } catch {
    throw new PlaybackLost(
      'unsupported',
      'this browser cannot play WebRTC video; a current Chrome, Edge, Firefox or Safari can',
    );
  }
  await device.load({ routerRtpCapabilities });
  return device;
}

export function deviceFor(routerRtpCapabilities: RtpCapabilities): Promise<Device> {
  const key = JSON.stringify(routerRtpCapabilities);
  let device = loaded.get(key);
  if (!device) {
    device = load(routerRtpCapabilities);
    device.catch(() => loaded.delete(key));
    loaded.set(key, device);
  }
  return device;
}
