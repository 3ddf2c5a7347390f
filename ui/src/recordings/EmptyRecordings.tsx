// There is no camera, so there is nothing to record yet.
import { Button, Stack, Text, Title } from '@mantine/core';
import { IconMovie } from '@tabler/icons-react';
import { Link } from 'react-router';

export function EmptyRecordings() {
  return (
    <Stack className="surface" align="center" ta="center" gap="sm" px="lg" py={72}>
      <IconMovie size={52} stroke={1.2} color="var(--mantine-primary-color-filled)" aria-hidden />
      <Title order={2} fz="xl">
        Nothing to record yet
      </Title>
      <Text c="dimmed" maw={460}>
        Recordings belong to cameras. Add one, and its footage appears here: always, by a weekly plan or around events,
        as you choose.
      </Text>
      <Button component={Link} to="/devices/new" size="md" mt="sm">
        Add camera
      </Button>
    </Stack>
  );
}
