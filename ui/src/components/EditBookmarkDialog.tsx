// Changes a bookmark; a clip is made again only where its length changes.
import { Button, Group, Modal, Skeleton, Stack } from '@mantine/core';
import { useForm } from '@mantine/form';
import { notifications } from '@mantine/notifications';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { ApiError } from '../api/http';
import { readBookmark, type VersionedBookmark } from '../api/bookmarks';
import { useBookmarkDeeds } from '../hooks/useBookmarkDeeds';
import { useBookmarkTags } from '../hooks/useBookmarkTags';
import { BookmarkFields } from './BookmarkFields';
import { bookmarkFieldsOf, bookmarkRules, bookmarkValuesOf, needsNewClip, placeErrors, type BookmarkValues } from './bookmarkValues';
import { ConflictNotice } from './ConflictNotice';
import { Failure } from './Failure';

interface EditFormProps extends VersionedBookmark {
  onReload: () => void;
  onClose: () => void;
}

function EditForm({ bookmark, etag, onReload, onClose }: EditFormProps) {
  const { save } = useBookmarkDeeds();
  const knownTags = useBookmarkTags();
  const [failure, setFailure] = useState<Error | null>(null);
  const [hasConflict, setConflict] = useState(false);
  const form = useForm<BookmarkValues>({ initialValues: bookmarkValuesOf(bookmark), validate: bookmarkRules });
  const send = async (values: BookmarkValues, version: string | null) => {
    setFailure(null);
    try {
      const saved = await save.mutateAsync({ id: bookmark.id, fields: bookmarkFieldsOf(values, bookmark.at), etag: version });
      notifications.show({ message: `“${saved.title}” was saved.` });
      onClose();
    } catch (error) {
      const placed = error instanceof ApiError ? placeErrors(error.errors) : {};
      if (error instanceof ApiError && error.status === 412) setConflict(true);
      else if (Object.keys(placed).length > 0) form.setErrors(placed);
      else setFailure(error as Error);
    }
  };
  const isLonger = needsNewClip(form.values, bookmark);
  return (
    <form noValidate onSubmit={form.onSubmit((values) => send(values, etag))}>
      <Stack gap="sm">
        {hasConflict && <ConflictNotice what="bookmark" onReload={onReload} onOverwrite={() => void send(form.getValues(), null)} />}
        <BookmarkFields form={form} knownTags={knownTags} lengthHint={isLonger ? 'The clip is made again, as far as there is footage. Until then the one there is stays.' : 'Other lengths make the clip again.'} />
        {failure && <Failure title="The bookmark was not saved" error={failure} />}
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

/** `id` null: closed. */
export function EditBookmarkDialog({ id, onClose }: { id: string | null; onClose: () => void }) {
  const { data, error, refetch } = useQuery({
    queryKey: ['bookmark-to-edit', id],
    queryFn: ({ signal }) => readBookmark(id ?? '', signal),
    enabled: id !== null,
    // Never refreshed beneath somebody who types.
    staleTime: Infinity,
    gcTime: 0,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
  });
  return (
    <Modal opened={id !== null} onClose={onClose} title="Edit bookmark" centered radius="md">
      {error && !data && <Failure title="The bookmark could not be read" error={error} />}
      {!data && !error && <Skeleton height={300} />}
      {data && <EditForm key={data.etag ?? data.bookmark.updated_at} {...data} onReload={() => void refetch()} onClose={onClose} />}
    </Modal>
  );
}
