// The query keys of events.
import type { EventFilter } from './events';

export const eventKeys = {
  /** Not below `changes`: a list is never read again under the reader's finger. */
  list: (filter: EventFilter) => ['event-list', filter] as const,
  one: (id: number) => ['event-list', 'one', id] as const,
  values: ['event-values'] as const,
  /** Refreshed by every event. */
  changes: (filter: EventFilter, cursor: number | null) => ['events', 'changes', filter, cursor] as const,
  /** Below the key of the device: refreshed by its events. */
  lanes: (deviceId: string, start: string, end: string) => ['devices', 'one', deviceId, 'lanes', start, end] as const,
};
