// Nobody has bookmarked anything yet: how it is done.
import { Kbd } from '@mantine/core';
import { IconBookmark } from '@tabler/icons-react';
import { EmptyState } from '../widgets/EmptyState';

export function EmptyBookmarks() {
  return (
    <EmptyState Icon={IconBookmark} title="No bookmarks yet" action={{ to: '/', label: 'To the cameras' }}>
      Press <Kbd>B</Kbd>, or the button below the picture, while you watch a camera live or recorded. The moment is kept
      with some seconds of video before and after it, for as long as the bookmark stays.
    </EmptyState>
  );
}
