// No snapshot has been kept yet: what they are and how one is taken.
import { Button, Kbd, Stack, Text, Title } from '@mantine/core';
import { IconCamera } from '@tabler/icons-react';
import { Link } from 'react-router';

export function EmptySnapshots() {
  return (
    <Stack className="surface" align="center" ta="center" gap="sm" px="lg" py={72}>
      <IconCamera size={52} stroke={1.2} color="var(--mantine-primary-color-filled)" aria-hidden />
      <Title order={2} fz="xl">
        No snapshots yet
      </Title>
      <Text c="dimmed" maw={480}>
        A snapshot keeps one picture of a camera: press the camera button below its player, live or in a recording, or
        the key <Kbd>S</Kbd>. A schedule can take them as well.
      </Text>
      <Button component={Link} to="/" size="md" mt="sm">
        Go to the cameras
      </Button>
    </Stack>
  );
}
