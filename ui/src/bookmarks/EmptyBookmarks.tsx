// The empty list of bookmarks, with how to create one.
import { Kbd } from '@mantine/core';
import { IconBookmark } from '@tabler/icons-react';
import { EmptyState } from '../widgets/EmptyState';

export function EmptyBookmarks() {
  return (
    <EmptyState Icon={IconBookmark} title="No bookmarks yet" action={{ to: '/', label: 'Show cameras' }}>
      Press <Kbd>B</Kbd> or the bookmark button below the picture while you watch live or recorded video. A clip of some
      seconds before and after that moment is kept until you delete the bookmark.
    </EmptyState>
  );
}
