// Follows the events of the service while the page is visible, and refreshes what they change.
import { useQueryClient, type QueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { EventStream, type ServiceEvent } from '../api/eventStream';
import type { Job } from '../api/jobs';
import { affectedKeys, type Key } from './affectedKeys';
import { readLive, setLive } from './liveState';

/** A burst of events refreshes each query once in this time. */
const TURN_MS = 1_000;
/** The first refresh waits so long for further events of the same change. */
const GATHER_MS = 60;
/** A hidden page gives its connection back: browsers have six for all pages of a server. */
const HIDDEN_MS = 5_000;
/** A timer that is so late has slept. */
const TICK_MS = 5_000;
const SLEPT_MS = 20_000;

/** Refreshes queries, each at most once in TURN_MS. */
export class Refresher {
  private readonly client: QueryClient;
  private readonly due = new Map<string, Key>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private lastAt = -TURN_MS;

  constructor(client: QueryClient) {
    this.client = client;
  }

  add(keys: Key[]): void {
    for (const key of keys) this.due.set(JSON.stringify(key), key);
    if (this.timer !== undefined || this.due.size === 0) return;
    this.timer = setTimeout(() => this.run(), Math.max(GATHER_MS, this.lastAt + TURN_MS - performance.now()));
  }

  close(): void {
    clearTimeout(this.timer);
  }

  private run(): void {
    this.timer = undefined;
    this.lastAt = performance.now();
    const keys = [...this.due.values()];
    this.due.clear();
    for (const queryKey of keys) void this.client.invalidateQueries({ queryKey });
  }
}

/** Shows the progress of a job without a request. */
export function showProgress(client: QueryClient, event: ServiceEvent): void {
  const { job_id: id, progress, stage } = event.data;
  if (event.kind !== 'job' || event.change !== 'passing' || typeof progress !== 'number') return;
  client.setQueriesData<Job[]>({ queryKey: ['jobs'] }, (jobs) =>
    Array.isArray(jobs) && jobs.some((job) => job.id === id && job.state === 'running')
      ? jobs.map((job) => (job.id === id ? { ...job, progress, stage: String(stage ?? job.stage) } : job))
      : jobs,
  );
}

export function useLiveUpdates(): void {
  const client = useQueryClient();
  useEffect(() => {
    const refresher = new Refresher(client);
    const stream = new EventStream({
      onEvent: (event) => {
        showProgress(client, event);
        refresher.add(affectedKeys(event));
      },
      onReset: () => void client.invalidateQueries(),
      onLive: (isLive) => {
        const wasLive = readLive();
        setLive(isLive);
        // The queries choose their next interval after they have been read.
        if (wasLive && !isLive) void client.invalidateQueries();
      },
    });

    let hiding: ReturnType<typeof setTimeout> | undefined;
    const follow = () => {
      clearTimeout(hiding);
      if (document.visibilityState === 'visible') stream.open();
      else hiding = setTimeout(() => stream.close(), HIDDEN_MS);
    };
    let tickedAt = Date.now();
    const tick = setInterval(() => {
      if (Date.now() - tickedAt > SLEPT_MS && document.visibilityState === 'visible') stream.reopen();
      tickedAt = Date.now();
    }, TICK_MS);
    const online = () => stream.reopen();

    follow();
    document.addEventListener('visibilitychange', follow);
    window.addEventListener('online', online);
    return () => {
      document.removeEventListener('visibilitychange', follow);
      window.removeEventListener('online', online);
      clearInterval(tick);
      clearTimeout(hiding);
      stream.close();
      refresher.close();
      setLive(false);
    };
  }, [client]);
}
