// The query keys of devices, streams, health and plugins.
import type { DeviceListQuery } from './devices';

export const queryKeys = {
  devices: ['devices'] as const,
  deviceList: (query: DeviceListQuery) => ['devices', 'list', query] as const,
  device: (id: string) => ['devices', 'one', id] as const,
  deviceEvents: (id: string, page: number) => ['devices', 'one', id, 'events', page] as const,
  deletedDevices: ['devices', 'deleted'] as const,
  tags: ['devices', 'tags'] as const,
  streams: ['streams'] as const,
  streamList: ['streams', 'list'] as const,
  stream: (id: string) => ['streams', 'one', id] as const,
  health: ['health'] as const,
  plugins: ['plugins'] as const,
  plugin: (name: string) => ['plugins', 'one', name] as const,
  pluginJobs: (kind: string) => ['plugins', 'jobs', kind] as const,
};
