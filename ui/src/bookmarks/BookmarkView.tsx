// Full view of one bookmark: its clip, note and tags, and the details of the clip.
import { Button, Group, Modal, Skeleton, Stack, Text } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { IconDownload, IconMovie, IconPencil, IconTrash } from '@tabler/icons-react';
import { Link } from 'react-router';
import { ApiError } from '../api/http';
import { clipDownloadUrl } from '../api/bookmarks';
import { useBookmark } from './useBookmarks';
import { formatLength } from '../formatting/moments';
import { formatBytes } from '../formatting/amounts';
import type { BookmarkActionProps } from './BookmarkMenu';
import { BookmarkClip } from './BookmarkClip';
import { Failure } from '../widgets/Failure';
import { StatisticsColumns } from '../widgets/StatisticsColumns';
import { Notice } from '../widgets/Notice';
import { deviceMomentAddress } from '../addresses/recordingAddresses';
import { ReasonText } from '../widgets/ReasonText';
import { sentence } from '../formatting/sentence';
import { TagList } from '../widgets/TagList';
import { Timestamp } from '../widgets/Timestamp';
import classes from './Bookmarks.module.css';

interface BookmarkViewProps extends BookmarkActionProps {
  id: string | null;
  onClose: () => void;
}

export function BookmarkView({ id, onClose, onEdit, onDelete, onRemake, remakingId }: BookmarkViewProps) {
  const { data, error, refetch } = useBookmark(id);
  const isNarrow = useMediaQuery('(max-width: 40rem)', false, { getInitialValueInEffect: false });
  const bookmark = data?.bookmark;
  const isGone = error instanceof ApiError && error.status === 404;
  return (
    <Modal
      opened={id !== null}
      onClose={onClose}
      size={980}
      centered
      radius="md"
      fullScreen={isNarrow}
      title={
        <span style={{ display: 'block', fontWeight: 600, lineHeight: 1.3, overflowWrap: 'anywhere' }}>
          {bookmark?.title ?? 'Bookmark'}
        </span>
      }
    >
      {isGone && (
        <Notice tone="still" title="Bookmark not found">
          It was deleted, or the link is wrong.
        </Notice>
      )}
      {error && !isGone && !bookmark && (
        <Failure title="The bookmark could not be loaded" error={error} onRetry={() => void refetch()} />
      )}
      {!bookmark && !error && <Skeleton style={{ aspectRatio: '16 / 9' }} />}
      {bookmark && !isGone && (
        <Stack gap="sm" className={classes.viewStage}>
          <BookmarkClip
            bookmark={bookmark}
            isPlaying
            onPlay={() => {}}
            onRemake={() => onRemake(bookmark)}
            isRemaking={remakingId === bookmark.id}
            width={1280}
          />
          <Group gap="xs">
            <Button
              size="xs"
              variant="default"
              component={Link}
              to={deviceMomentAddress(bookmark.device_id, Date.parse(bookmark.at))}
              leftSection={<IconMovie size={15} />}
            >
              Show recording
            </Button>
            {bookmark.clip.state === 'ready' && (
              <Button
                size="xs"
                variant="default"
                component="a"
                href={clipDownloadUrl(bookmark)}
                download
                leftSection={<IconDownload size={15} />}
              >
                Download
              </Button>
            )}
            <Button size="xs" variant="default" leftSection={<IconPencil size={15} />} onClick={() => onEdit(bookmark)}>
              Edit
            </Button>
            <Button
              size="xs"
              variant="default"
              c="var(--vas-bad)"
              leftSection={<IconTrash size={15} />}
              onClick={() => onDelete(bookmark)}
            >
              Delete
            </Button>
          </Group>
          {bookmark.note && <div className={classes.viewNote}>{bookmark.note}</div>}
          <StatisticsColumns
            rows={[
              ['Camera', bookmark.device_name],
              ['Time', <Timestamp key="at" at={bookmark.at} />],
              ...(bookmark.tags.length > 0
                ? [['Tags', <TagList key="tags" tags={bookmark.tags} max={20} />] as [string, React.ReactNode]]
                : []),
              ...(bookmark.clip.state === 'ready'
                ? [
                    [
                      'Clip',
                      [
                        bookmark.clip.duration_seconds === null
                          ? ''
                          : formatLength(bookmark.clip.duration_seconds * 1000),
                        bookmark.clip.codec ?? '',
                        formatBytes(bookmark.clip.size),
                      ]
                        .filter(Boolean)
                        .join(', '),
                    ] as [string, React.ReactNode],
                  ]
                : []),
              [
                'Created',
                <span key="created">
                  <Timestamp at={bookmark.created_at} />
                  {bookmark.created_by ? ` by ${bookmark.created_by}` : ''}
                </span>,
              ],
            ]}
          />
          {bookmark.clip.state === 'ready' && bookmark.clip.reason && (
            <Notice tone="warn" title="Previous clip: the new one could not be created">
              <ReasonText reason={bookmark.clip.reason} />
            </Notice>
          )}
          {bookmark.clip.notes.length > 0 && (
            <ul className={classes.viewNotes}>
              {bookmark.clip.notes.map((note) => (
                <li key={note}>{sentence(note)}</li>
              ))}
            </ul>
          )}
          {bookmark.clip.state === 'ready' && (
            <Text size="xs" c="dimmed">
              The clip is a separate file. It is kept until the bookmark is deleted, even if the recording is deleted.
            </Text>
          )}
        </Stack>
      )}
    </Modal>
  );
}
