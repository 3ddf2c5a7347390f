// Devices as a list of cards or as a grid of their newest pictures.
import type { Device, Stream } from '../api/types';
import { DeviceCard } from './DeviceCard';

interface DeviceCardsProps {
  devices: Device[];
  streams: Map<string, Stream> | undefined;
  isGrid?: boolean;
}

export function DeviceCards({ devices, streams, isGrid = false }: DeviceCardsProps) {
  const gridTemplateColumns = isGrid ? 'repeat(auto-fill, minmax(min(17rem, 100%), 1fr))' : undefined;
  return (
    <ul
      style={{
        display: 'grid',
        gridTemplateColumns,
        gap: isGrid ? '0.75rem' : '0.5rem',
        listStyle: 'none',
        margin: 0,
        padding: 0,
      }}
      aria-label="Cameras"
    >
      {devices.map((device) => (
        <DeviceCard key={device.id} device={device} stream={streams?.get(device.id)} isGrid={isGrid} />
      ))}
    </ul>
  );
}
