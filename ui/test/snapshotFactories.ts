// Snapshots for tests.
import type { Snapshot } from '../src/api/snapshots';

export function buildSnapshot(change: Partial<Snapshot> = {}): Snapshot {
  const id = change.id ?? 's1';
  return {
    id,
    device_id: 'd1',
    device_name: 'Main gate',
    at: '2026-03-01T10:00:00Z',
    kind: 'live',
    schedule_id: null,
    width: 1920,
    height: 1080,
    size: 412_000,
    tags: [],
    note: '',
    created_by: 'operator',
    created_at: '2026-03-01T10:00:00Z',
    image_url: `/api/v1/snapshots/${id}/image`,
    thumbnail_url: `/api/v1/snapshots/${id}/image?width=480`,
    ...change,
  };
}
