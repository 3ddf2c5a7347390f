// The state of a player as one immutable snapshot with listeners, in the form of React's useSyncExternalStore.

export class PlayerStore<Snapshot extends { state: string }> {
  private snapshot: Snapshot;
  private readonly listeners = new Set<() => void>();

  constructor(first: Snapshot) {
    this.snapshot = first;
  }

  getSnapshot = (): Snapshot => this.snapshot;

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Changes the snapshot and writes its state to `data-player-state` of `video`, where tests and scripts read it. */
  update(change: Partial<Snapshot>, video: HTMLVideoElement | null): void {
    this.snapshot = { ...this.snapshot, ...change };
    if (video) video.dataset.playerState = this.snapshot.state;
    for (const listener of this.listeners) listener();
  }
}
