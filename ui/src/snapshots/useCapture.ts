// Takes snapshots from a player and follows each until it is done or has failed.
import { useCallback, useEffect, useRef, useState } from 'react';
import { useQueryClient } from '@tanstack/react-query';
import { ApiError } from '../api/http';
import { isUnfinished, readJob, type Job } from '../api/jobs';
import { newRequestKey } from '../api/requestKey';
import { captureSnapshot, readSnapshot, type Capture, type Snapshot } from '../api/snapshots';
import { queryKeys } from '../api/queryKeys';
import { snapshotKeys } from '../api/snapshotKeys';

export interface CaptureFailure {
  reason: string | null;
  message: string;
  remedy: string | null;
  /** The nearest moments with footage, if there is none at the requested one. */
  nearest: string[];
}

export interface CaptureEntry {
  key: string;
  /** The requested moment; null for now. */
  at: string | null;
  state: 'taking' | 'done' | 'failed';
  /** 0 up to 1 while a job is running; null while the response is pending. */
  progress: number | null;
  snapshot: Snapshot | null;
  failure: CaptureFailure | null;
}

export interface CaptureControl {
  /** Newest first. */
  entries: CaptureEntry[];
  /** Number of captures requested so far. */
  presses: number;
  /** Takes a snapshot of now (null) or of a recorded moment in milliseconds. */
  take: (atMs: number | null) => void;
  dismiss: (key: string) => void;
}

const JOB_INTERVAL_MS = 700;
const MAX_ENTRIES = 3;

class CaptureFailed extends Error {
  readonly failure: CaptureFailure;

  constructor(failure: CaptureFailure) {
    super(failure.message);
    this.failure = failure;
  }
}

function failureOf(error: unknown): CaptureFailure {
  if (error instanceof CaptureFailed) return error.failure;
  if (!(error instanceof ApiError)) return { reason: null, message: String(error), remedy: null, nearest: [] };
  const { nearest_before: before, nearest_after: after } = error.errors;
  const nearest = [before, after].filter((at): at is string => Number.isFinite(Date.parse(at ?? '')));
  return { reason: error.reason, message: error.message, remedy: null, nearest };
}

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Retries once if no response arrives: the same idempotency key prevents a second picture. */
async function captureWithRetry(deviceId: string, at: string | null, key: string): Promise<Capture> {
  try {
    return await captureSnapshot(deviceId, at, key);
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 0) throw error;
    return captureSnapshot(deviceId, at, key);
  }
}

async function follow(started: Job, isWatched: () => boolean, onJob: (job: Job) => void): Promise<Snapshot | null> {
  let job = started;
  while (isUnfinished(job)) {
    await pause(JOB_INTERVAL_MS);
    if (!isWatched()) return null;
    // A missing response is not the end of the job.
    job = await readJob(job.id).catch((error: unknown) => {
      if (error instanceof ApiError && error.status !== 0 && error.status < 500) throw error;
      return job;
    });
    onJob(job);
  }
  const id = job.result?.snapshot_id;
  if (job.state === 'done' && id) return (await readSnapshot(id)).snapshot;
  const { code = null, message = 'the snapshot was not taken', remedy = null } = job.error ?? {};
  throw new CaptureFailed({ reason: code, message, remedy, nearest: [] });
}

export function useCapture(deviceId: string): CaptureControl {
  const client = useQueryClient();
  const [entries, setEntries] = useState<CaptureEntry[]>([]);
  const [presses, setPresses] = useState(0);
  const isWatched = useRef(true);

  useEffect(() => {
    isWatched.current = true;
    return () => {
      isWatched.current = false;
    };
  }, []);

  const take = useCallback(
    (atMs: number | null) => {
      const key = newRequestKey();
      const at = atMs === null ? null : new Date(Math.round(atMs)).toISOString();
      const change = (patch: Partial<CaptureEntry>) =>
        setEntries((current) => current.map((entry) => (entry.key === key ? { ...entry, ...patch } : entry)));
      setPresses((count) => count + 1);
      setEntries((current) =>
        [{ key, at, state: 'taking' as const, progress: null, snapshot: null, failure: null }, ...current].slice(
          0,
          MAX_ENTRIES,
        ),
      );
      const run = async () => {
        try {
          const { snapshot, job } = await captureWithRetry(deviceId, at, key);
          const taken =
            snapshot ??
            (await follow(
              job,
              () => isWatched.current,
              ({ progress }) => change({ progress }),
            ));
          if (!taken) return;
          change({ state: 'done', snapshot: taken, progress: null });
          void client.invalidateQueries({ queryKey: snapshotKeys.all });
          void client.invalidateQueries({ queryKey: queryKeys.device(deviceId) });
        } catch (error) {
          change({ state: 'failed', failure: failureOf(error), progress: null });
        }
      };
      void run();
    },
    [client, deviceId],
  );
  const dismiss = useCallback(
    (key: string) => setEntries((current) => current.filter((entry) => entry.key !== key)),
    [],
  );
  return { entries, presses, take, dismiss };
}
