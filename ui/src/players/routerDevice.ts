// Caches mediasoup-client Devices by router capabilities. All routers offer the same codecs, so after the
// first view the capabilities are known and a reconnect does not load them again.
import { Device } from 'mediasoup-client';
import type { RtpCapabilities } from 'mediasoup-client/types';
import { PlaybackLost } from './playerState';

const loaded = new Map<string, Promise<Device>>();

async function load(routerRtpCapabilities: RtpCapabilities): Promise<Device> {
  let device: Device;
  try {
    device = await Device.factory();
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
