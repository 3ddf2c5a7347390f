// The dialog that names a bookmark just created. Closing it keeps the bookmark; only Discard deletes it.
import { Anchor, Button, Group, Loader, Modal, Stack, Text } from '@mantine/core';
import { useForm } from '@mantine/form';
import { notifications } from '@mantine/notifications';
import { IconCircleCheck } from '@tabler/icons-react';
import { useState, type MouseEvent } from 'react';
import { useNavigate } from 'react-router';
import { ApiError } from '../api/http';
import type { Bookmark } from '../api/bookmarks';
import { useTagsInUse } from '../widgets/useTagsInUse';
import { useFullscreenTarget } from '../widgets/useFullscreenTarget';
import type { useNewBookmark } from './useNewBookmark';
import { formatMoment } from '../formatting/zonedTimes';
import { bookmarkAddress } from '../addresses/bookmarkAddresses';
import { BookmarkFields } from './BookmarkFields';
import {
  bookmarkRules,
  FIRST_TITLE,
  placeErrors,
  recallLengths,
  rememberLengths,
  type BookmarkValues,
} from './bookmarkValues';
import { Failure } from '../widgets/Failure';
import { notifyFailure } from '../widgets/notifyFailure';

interface NewBookmarkDialogProps {
  draft: ReturnType<typeof useNewBookmark>;
  timeZone: string;
}

export function NewBookmarkDialog({ draft, timeZone }: NewBookmarkDialogProps) {
  const { state, bookmark } = draft;
  const navigate = useNavigate();
  const knownTags = useTagsInUse('bookmarks');
  const [failure, setFailure] = useState<Error | null>(null);
  const [isSending, setSending] = useState(false);
  const [initialValues] = useState<BookmarkValues>(() => {
    const { before, after } = recallLengths();
    return { title: FIRST_TITLE, note: '', tags: [], before_seconds: before, after_seconds: after };
  });
  const form = useForm<BookmarkValues>({ initialValues, validate: bookmarkRules });

  // Notifications are rendered outside the router: a link in one navigates by a handler.
  const notifyCreated = ({ id, title }: Bookmark) => {
    const go = (event: MouseEvent) => {
      event.preventDefault();
      notifications.hide(id);
      void navigate(bookmarkAddress(id));
    };
    const link = (
      <Anchor href={bookmarkAddress(id)} size="sm" onClick={go}>
        Show
      </Anchor>
    );
    notifications.show({
      id,
      message: (
        <span>
          Bookmarked: “{title}”. {link}
        </span>
      ),
    });
  };
  const send = async (values: BookmarkValues) => {
    setFailure(null);
    setSending(true);
    try {
      const saved = await draft.save(values);
      rememberLengths(Number(values.before_seconds), Number(values.after_seconds));
      draft.close();
      notifyCreated(saved);
    } catch (error) {
      const placed = error instanceof ApiError ? placeErrors(error.errors) : {};
      if (Object.keys(placed).length > 0) form.setErrors(placed);
      else if (state !== 'failed') setFailure(error as Error);
    } finally {
      setSending(false);
    }
  };
  const leave = () => {
    draft.close();
    if (bookmark) notifyCreated(bookmark);
  };
  const discard = () => {
    draft.close();
    draft.discard().catch((error: Error) => notifyFailure('The bookmark was not discarded', error));
  };

  const hasFailed = state === 'failed';
  return (
    <Modal
      opened
      onClose={hasFailed ? draft.close : leave}
      title={hasFailed ? 'No bookmark was created' : 'Bookmark'}
      centered
      radius="md"
      portalProps={useFullscreenTarget()}
    >
      {hasFailed && draft.error ? (
        <Stack gap="sm">
          <Failure title="This moment cannot be bookmarked" error={draft.error} />
          <Group justify="flex-end">
            <Button variant="default" onClick={draft.close} data-autofocus>
              Close
            </Button>
          </Group>
        </Stack>
      ) : (
        <form noValidate onSubmit={form.onSubmit(send)}>
          <Stack gap="sm">
            <Group gap={8} wrap="nowrap" mih={24} aria-live="polite">
              {bookmark ? <IconCircleCheck size={18} color="var(--vas-good)" aria-hidden /> : <Loader size={16} />}
              <Text size="sm" c="dimmed">
                {bookmark ? `Saved: ${formatMoment(timeZone, Date.parse(bookmark.at))}` : 'Saving this moment…'}
              </Text>
            </Group>
            <BookmarkFields
              form={form}
              knownTags={knownTags}
              lengthHint="Other lengths recreate the clip from the available footage and apply to new bookmarks too."
            />
            {failure && <Failure title="The bookmark exists, but your changes were not saved" error={failure} />}
            <Group justify="space-between">
              <Button variant="subtle" c="var(--vas-bad)" onClick={discard}>
                Discard
              </Button>
              <Button type="submit" loading={isSending}>
                Save
              </Button>
            </Group>
          </Stack>
        </form>
      )}
    </Modal>
  );
}
