// Saves edited values. If somebody else saved the item in the meantime (412), a notice asks which version to keep.
import { useState, type ReactNode } from 'react';
import { ApiError } from '../api/http';
import { ConflictNotice } from './ConflictNotice';
import { notifyFailure } from './notifyFailure';

interface VersionedSave<Values> {
  /** A null `etag` overwrites any version. */
  save: (values: Values, etag: string | null) => Promise<void>;
  onReload: () => void;
  /** Title of the notification when overwriting fails. */
  failureTitle: string;
  /** What was changed, in the notice. */
  noun?: string;
  /** Reads what somebody else has changed, a line each. */
  readChanges?: () => Promise<string[]>;
}

export function useVersionedSave<Values>({ save, onReload, failureTitle, noun, readChanges }: VersionedSave<Values>) {
  const [refused, setRefused] = useState<Values | null>(null);
  const [changes, setChanges] = useState<string[]>([]);

  const notice: ReactNode = refused && (
    <ConflictNotice
      {...(noun && { noun })}
      changes={changes}
      onReload={() => {
        setRefused(null);
        onReload();
      }}
      onOverwrite={() => {
        save(refused, null).catch((failure: Error) => notifyFailure(failureTitle, failure));
      }}
    />
  );

  const submit = async (values: Values, etag: string | null) => {
    try {
      await save(values, etag);
    } catch (failure) {
      if (!(failure instanceof ApiError) || failure.status !== 412) throw failure;
      setRefused(values);
      setChanges([]);
      // Without an answer the notice says only that there are changes.
      readChanges?.().then(setChanges, () => {});
      window.scrollTo({ top: 0 });
    }
  };

  return { notice, submit };
}
