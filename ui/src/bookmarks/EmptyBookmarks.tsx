// Nobody has bookmarked anything yet: how it is done.
import { Button, Kbd, Stack, Text, Title } from '@mantine/core';
import { IconBookmark } from '@tabler/icons-react';
import { Link } from 'react-router';

export function EmptyBookmarks() {
  return (
    <Stack className="surface" align="center" ta="center" gap="sm" px="lg" py={72}>
      <IconBookmark size={52} stroke={1.2} color="var(--mantine-primary-color-filled)" aria-hidden />
      <Title order={2} fz="xl">
        No bookmarks yet
      </Title>
      <Text c="dimmed" maw={480}>
        Press <Kbd>B</Kbd>, or the button below the picture, while you watch a camera live or recorded. The moment is
        kept with some seconds of video before and after it, for as long as the bookmark stays.
      </Text>
      <Button component={Link} to="/" size="md" mt="sm">
        To the cameras
      </Button>
    </Stack>
  );
}
