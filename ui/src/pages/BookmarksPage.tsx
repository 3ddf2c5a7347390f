// Bookmarks: moments worth finding again, each with its clip, to be played, changed and shared.
import { Skeleton, Stack } from '@mantine/core';
import { useState } from 'react';
import type { Bookmark } from '../api/bookmarks';
import { BookmarkCard, type BookmarkDeedProps } from '../components/BookmarkCard';
import { BookmarkFilters } from '../components/BookmarkFilters';
import { BookmarkView } from '../components/BookmarkView';
import { EditBookmarkDialog } from '../components/EditBookmarkDialog';
import { EmptyBookmarks } from '../components/EmptyBookmarks';
import { Failure } from '../components/Failure';
import { ListFooter } from '../components/ListFooter';
import { NoMatches } from '../components/NoMatches';
import { PageHeader } from '../components/PageHeader';
import { useBookmarkDeeds } from '../hooks/useBookmarkDeeds';
import { bookmarkQueryOf, useBookmarkQuery } from '../hooks/useBookmarkQuery';
import { useBookmarks } from '../hooks/useBookmarks';
import { useTagsInUse } from '../hooks/useTagsInUse';
import { useDeviceChoices } from '../hooks/useDeviceChoices';
import classes from '../components/Bookmarks.module.css';

export function BookmarksPage() {
  const { filter, isFiltered, openId, pageSizes, change, clear, open } = useBookmarkQuery();
  const bookmarks = useBookmarks(bookmarkQueryOf(filter));
  const { remove, remake } = useBookmarkDeeds();
  const devices = useDeviceChoices();
  const tags = useTagsInUse('bookmarks');
  const [playingId, setPlaying] = useState<string | null>(null);
  const [editedId, setEdited] = useState<string | null>(null);
  const list = bookmarks.data;
  const isEmpty = list?.total === 0 && !isFiltered;
  const deeds: BookmarkDeedProps = {
    onEdit: ({ id }) => setEdited(id),
    onRemake: (bookmark: Bookmark) => remake.mutate(bookmark),
    onDelete: (bookmark: Bookmark) => {
      if (openId === bookmark.id) open(null);
      remove.mutate(bookmark);
    },
    remakingId: remake.isPending ? remake.variables.id : null,
  };

  return (
    <>
      <PageHeader title="Bookmarks" />
      <Stack gap="md">
        {bookmarks.error && (
          <Failure
            title="The bookmarks could not be read"
            error={bookmarks.error}
            onRetry={() => void bookmarks.refetch()}
          />
        )}
        {isEmpty && <EmptyBookmarks />}
        {!isEmpty && (list || bookmarks.isPending) && (
          <BookmarkFilters filter={filter} devices={devices} tags={tags} onChange={change} />
        )}
        {bookmarks.isPending && (
          <div className={classes.grid}>
            {Array.from({ length: 6 }, (_, index) => (
              <Skeleton key={index} height={290} radius="md" />
            ))}
          </div>
        )}
        {list?.items.length === 0 && !isEmpty && <NoMatches noun="bookmark" onClear={clear} />}
        {list && list.items.length > 0 && (
          <div>
            <ul className={classes.grid} aria-label="Bookmarks">
              {list.items.map((bookmark) => (
                <BookmarkCard
                  key={bookmark.id}
                  bookmark={bookmark}
                  isPlaying={playingId === bookmark.id}
                  onPlay={() => setPlaying(bookmark.id)}
                  onOpen={() => {
                    setPlaying(null);
                    open(bookmark.id);
                  }}
                  {...deeds}
                />
              ))}
            </ul>
            <ListFooter
              noun="bookmark"
              page={filter.page}
              pageSize={filter.pageSize}
              pageSizes={pageSizes}
              shown={list.items.length}
              total={list.total}
              totalPages={list.totalPages}
              onPage={(page) => change({ page })}
              onPageSize={(pageSize) => change({ pageSize })}
            />
          </div>
        )}
      </Stack>
      <BookmarkView id={openId} onClose={() => open(null)} {...deeds} />
      <EditBookmarkDialog id={editedId} onClose={() => setEdited(null)} />
    </>
  );
}
