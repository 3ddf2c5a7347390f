// Whether changes arrive at once through the stream of events, and the intervals of polling that follow from it.

let isLive = false;
const watchers = new Set<() => void>();

export const readLive = () => isLive;

export function setLive(value: boolean): void {
  if (value === isLive) return;
  isLive = value;
  for (const watcher of watchers) watcher();
}

export function watchLive(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

/** The interval of polling: `pollMs` without the stream of events; with it only what no event reports is polled. */
export const paced = (pollMs: number, liveMs: number) => () => (isLive ? liveMs : pollMs);
