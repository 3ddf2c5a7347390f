// Saves what was edited, unless somebody else saved the same meanwhile (412): then it is asked whose version stays.
import { notifications } from '@mantine/notifications';
import { useState, type ReactNode } from 'react';
import { ApiError } from '../api/http';
import { sentence } from '../formatting/sentence';
import { ConflictNotice } from './ConflictNotice';

interface VersionedSave<Values> {
  /** `etag` null overwrites whatever is there. */
  save: (values: Values, etag: string | null) => Promise<void>;
  onReload: () => void;
  /** The title where overwriting fails. */
  failureTitle: string;
}

export function useVersionedSave<Values>({ save, onReload, failureTitle }: VersionedSave<Values>) {
  const [refused, setRefused] = useState<Values | null>(null);

  const notice: ReactNode = refused && (
    <ConflictNotice
      onReload={() => {
        setRefused(null);
        onReload();
      }}
      onOverwrite={() => {
        save(refused, null).catch((failure: Error) =>
          notifications.show({ color: 'red', title: failureTitle, message: sentence(failure.message) }),
        );
      }}
    />
  );

  const submit = async (values: Values, etag: string | null) => {
    try {
      await save(values, etag);
    } catch (failure) {
      if (!(failure instanceof ApiError) || failure.status !== 412) throw failure;
      setRefused(values);
      window.scrollTo({ top: 0 });
    }
  };

  return { notice, submit };
}
