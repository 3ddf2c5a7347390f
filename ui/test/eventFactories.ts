// Events for tests.
import type { CameraEvent } from '../src/api/events';

export function buildEvent(change: Partial<CameraEvent> = {}): CameraEvent {
  return {
    id: 1,
    kind: 'object',
    device_id: 'd1',
    start: '2026-03-02T10:00:00.000Z',
    end: '2026-03-02T10:00:12.000Z',
    plugin: 'eyes',
    label: 'person',
    zone: null,
    score: 0.87,
    text: null,
    snapshot_id: null,
    ...change,
  };
}
