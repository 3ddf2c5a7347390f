// The dialog that changes a bookmark. Its clip is recreated only when the moment or a length changes.
import { Button, Group, Modal, Skeleton, Stack, Text } from '@mantine/core';
import { useForm } from '@mantine/form';
import { notifications } from '@mantine/notifications';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { ApiError } from '../api/http';
import { readBookmark, type VersionedBookmark } from '../api/bookmarks';
import { useBookmarkActions } from './useBookmarkActions';
import { useTagsInUse } from '../widgets/useTagsInUse';
import { formatMoment } from '../formatting/zonedTimes';
import { useShownZone } from '../widgets/useShownZone';
import { useAskBeforeClosing, useDirty } from '../widgets/useAskBeforeClosing';
import { BookmarkFields } from './BookmarkFields';
import {
  bookmarkFieldsOf,
  bookmarkRules,
  bookmarkValuesOf,
  needsNewClip,
  placeErrors,
  type BookmarkValues,
} from './bookmarkValues';
import { ConflictNotice } from '../widgets/ConflictNotice';
import { Failure } from '../widgets/Failure';
import { FROZEN_WHILE_EDITING } from '../widgets/editQuery';
import { MomentFields } from '../widgets/MomentFields';
import { sentence } from '../formatting/sentence';

interface EditFormProps extends VersionedBookmark {
  onReload: () => void;
  onDirty: (isDirty: boolean) => void;
  onClose: () => void;
}

function EditForm({ bookmark, etag, onReload, onDirty, onClose }: EditFormProps) {
  const { save } = useBookmarkActions();
  const timeZone = useShownZone();
  const knownTags = useTagsInUse('bookmarks');
  const [failure, setFailure] = useState<Error | null>(null);
  const [hasConflict, setConflict] = useState(false);
  const [atMs, setAtMs] = useState<number | null>(Date.parse(bookmark.at));
  const [nearest, setNearest] = useState<number[]>([]);
  // The key of the moment fields: choosing a suggested moment resets what was typed.
  const [chosen, setChosen] = useState(0);
  const [momentError, setMomentError] = useState<string | null>(null);
  const form = useForm<BookmarkValues>({ initialValues: bookmarkValuesOf(bookmark), validate: bookmarkRules });
  const send = async (values: BookmarkValues, version: string | null) => {
    setFailure(null);
    setNearest([]);
    const problem = checkMoment(atMs);
    setMomentError(problem);
    if (atMs === null || problem) return;
    // The fields are precise to the second: an untouched moment keeps its fraction.
    const at = atMs === Date.parse(bookmark.at) ? bookmark.at : new Date(atMs).toISOString();
    try {
      const saved = await save.mutateAsync({ id: bookmark.id, fields: bookmarkFieldsOf(values, at), etag: version });
      notifications.show({ message: `“${saved.title}” was saved.` });
      onClose();
    } catch (error) {
      const placed = error instanceof ApiError ? placeErrors(error.errors) : {};
      if (error instanceof ApiError && error.status === 412) setConflict(true);
      else if (Object.keys(placed).length > 0) form.setErrors(placed);
      else if (error instanceof ApiError && error.errors.at)
        setMomentError(sentence(error.errors.at.replace(/^'at'/, 'the time')));
      else {
        setFailure(error as Error);
        if (error instanceof ApiError) setNearest(nearestOf(error));
      }
    }
  };
  const moveTo = (ms: number) => {
    setAtMs(ms);
    setChosen(ms);
    setFailure(null);
    setNearest([]);
    setMomentError(null);
  };
  useDirty(form.isDirty() || atMs !== Date.parse(bookmark.at), onDirty);
  const isMoved = atMs !== Date.parse(bookmark.at);
  const isRemade = isMoved || needsNewClip(form.values, bookmark);
  return (
    <form noValidate onSubmit={form.onSubmit((values) => send(values, etag))}>
      <Stack gap="sm">
        {hasConflict && (
          <ConflictNotice noun="bookmark" onReload={onReload} onOverwrite={() => void send(form.getValues(), null)} />
        )}
        <BookmarkFields
          form={form}
          knownTags={knownTags}
          lengthHint={
            isRemade
              ? 'Saving recreates the clip from the available footage. The present clip is kept until then.'
              : 'Changing the time or a length recreates the clip.'
          }
        >
          <MomentFields
            key={chosen}
            timeZone={timeZone}
            firstMs={atMs ?? Date.parse(bookmark.at)}
            onChange={(ms) => {
              // The fields have no fraction of a second: the same second means the unchanged moment.
              const savedMs = Date.parse(bookmark.at);
              setAtMs(ms !== null && Math.floor(ms / 1000) === Math.floor(savedMs / 1000) ? savedMs : ms);
              setMomentError(null);
            }}
            error={momentError}
          />
        </BookmarkFields>
        {failure && <Failure title="The bookmark was not saved" error={failure} />}
        {nearest.length > 0 && (
          <Group gap="xs">
            <Text size="sm">Move to</Text>
            {nearest.map((ms) => (
              <Button key={ms} size="compact-sm" variant="default" onClick={() => moveTo(ms)}>
                {formatMoment(timeZone, ms)}
              </Button>
            ))}
          </Group>
        )}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={save.isPending}>
            Save
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

function checkMoment(atMs: number | null): string | null {
  if (atMs === null) return 'Enter a date and a time';
  return atMs > Date.now() ? 'This time is in the future' : null;
}

/** The nearest moments with footage, if the error names any. */
const nearestOf = ({ errors }: ApiError): number[] =>
  [errors.nearest_before, errors.nearest_after].map((at) => Date.parse(at ?? '')).filter(Number.isFinite);

/** Closed while `id` is null. */
export function EditBookmarkDialog({ id, onClose }: { id: string | null; onClose: () => void }) {
  const { data, error, refetch } = useQuery({
    queryKey: ['bookmark-to-edit', id],
    queryFn: ({ signal }) => readBookmark(id ?? '', signal),
    enabled: id !== null,
    ...FROZEN_WHILE_EDITING,
  });
  const { close, onDirty } = useAskBeforeClosing(onClose);
  return (
    <Modal opened={id !== null} onClose={close} title="Edit bookmark" centered radius="md">
      {error && !data && <Failure title="The bookmark could not be loaded" error={error} />}
      {!data && !error && <Skeleton height={300} />}
      {data && (
        <EditForm
          key={data.etag ?? data.bookmark.updated_at}
          {...data}
          onReload={() => void refetch()}
          onDirty={onDirty}
          onClose={onClose}
        />
      )}
    </Modal>
  );
}
