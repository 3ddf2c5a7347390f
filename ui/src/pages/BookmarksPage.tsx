// The page of bookmarks: filters, one card per bookmark, the full view and the edit dialog.
import { Skeleton, Stack } from '@mantine/core';
import { useState } from 'react';
import type { Bookmark } from '../api/bookmarks';
import { BookmarkCard } from '../bookmarks/BookmarkCard';
import type { BookmarkActionProps } from '../bookmarks/BookmarkMenu';
import { BookmarkFilters } from '../bookmarks/BookmarkFilters';
import { BookmarkView } from '../bookmarks/BookmarkView';
import { EditBookmarkDialog } from '../bookmarks/EditBookmarkDialog';
import { EmptyBookmarks } from '../bookmarks/EmptyBookmarks';
import { Failure } from '../widgets/Failure';
import { ListFooter } from '../widgets/ListFooter';
import { NoMatches } from '../widgets/NoMatches';
import { PageHeader } from '../widgets/PageHeader';
import { useBookmarkActions } from '../bookmarks/useBookmarkActions';
import { bookmarkQueryOf, useBookmarkQuery } from '../bookmarks/useBookmarkQuery';
import { useBookmarks } from '../bookmarks/useBookmarks';
import { useTagsInUse } from '../widgets/useTagsInUse';
import { useDeviceChoices } from '../widgets/useDeviceChoices';
import classes from '../bookmarks/Bookmarks.module.css';

export function BookmarksPage() {
  const { filter, isFiltered, openId, pageSizes, change, clear, open } = useBookmarkQuery();
  const bookmarks = useBookmarks(bookmarkQueryOf(filter));
  const { remove, remake } = useBookmarkActions();
  const devices = useDeviceChoices();
  const tags = useTagsInUse('bookmarks');
  const [playingId, setPlaying] = useState<string | null>(null);
  const [editedId, setEdited] = useState<string | null>(null);
  const list = bookmarks.data;
  const isEmpty = list?.total === 0 && !isFiltered;
  const actions: BookmarkActionProps = {
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
            title="The bookmarks could not be loaded"
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
                  {...actions}
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
      <BookmarkView id={openId} onClose={() => open(null)} {...actions} />
      <EditBookmarkDialog id={editedId} onClose={() => setEdited(null)} />
    </>
  );
}
