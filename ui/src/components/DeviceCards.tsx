// Devices as cards below each other.
import type { Device, Stream } from '../api/types';
import { DeviceCard } from './DeviceCard';

export function DeviceCards({ devices, streams }: { devices: Device[]; streams: Map<string, Stream> | undefined }) {
  return (
    <ul style={{ display: 'grid', gap: '0.5rem', listStyle: 'none', margin: 0, padding: 0 }} aria-label="Cameras">
      {devices.map((device) => (
        <DeviceCard key={device.id} device={device} stream={streams?.get(device.id)} />
      ))}
    </ul>
  );
}
