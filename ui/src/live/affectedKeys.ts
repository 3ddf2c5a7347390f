// Which queries an event of the service makes stale.
import type { ServiceEvent } from '../api/eventStream';
import { bookmarkKeys, scheduleKeys } from '../api/bookmarkKeys';
import { queryKeys } from '../api/queryKeys';
import { recordingKeys } from '../api/recordingKeys';
import { snapshotKeys } from '../api/snapshotKeys';

export type Key = readonly unknown[];

/** The jobs of all kinds. */
const JOBS: Key = ['jobs'];
/** Lists of events. */
const EVENTS: Key = ['events'];

export function affectedKeys(event: ServiceEvent): Key[] {
  const id = event.device_id;
  const ofDevice: Key[] = id === null ? [] : [queryKeys.device(id)];
  switch (event.kind) {
    case 'state':
      return [
        EVENTS,
        ...ofDevice,
        queryKeys.streamList,
        ['devices', 'list'],
        ...(id === null ? [] : [queryKeys.stream(id), recordingKeys.one(id)]),
      ];
    case 'recording':
    case 'gap':
    case 'footage':
    case 'mark':
      return [
        EVENTS,
        ...ofDevice,
        ['recordings', 'list'],
        recordingKeys.storage,
        ...(id === null ? [] : [recordingKeys.one(id)]),
      ];
    case 'snapshot':
      return [...(event.change === 'passing' ? [] : [EVENTS, ...ofDevice]), snapshotKeys.all, scheduleKeys.all];
    case 'bookmark':
    case 'clip':
      return [EVENTS, ...ofDevice, bookmarkKeys.all];
    case 'job':
      return event.change === 'passing' ? [] : [EVENTS, JOBS, ...(event.label === 'clip' ? [bookmarkKeys.all] : [])];
    case 'device':
      return [EVENTS, queryKeys.devices, queryKeys.streams, recordingKeys.all];
    case 'health':
      return [EVENTS, queryKeys.health];
    default:
      // Of a plugin: boxes and other passing facts are shown by those who listen to them.
      return event.change === 'passing' ? [] : [EVENTS, ...ofDevice];
  }
}
