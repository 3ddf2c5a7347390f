// Whether changes arrive at once.
import { useSyncExternalStore } from 'react';
import { readLive, watchLive } from './liveState';

export const useIsLive = () => useSyncExternalStore(watchLive, readLive);
