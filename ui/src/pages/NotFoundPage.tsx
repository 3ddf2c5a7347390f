// An address that leads nowhere.
import { Button, Stack, Text } from '@mantine/core';
import { Link } from 'react-router';
import { PageHeader } from '../widgets/PageHeader';

export function NotFoundPage() {
  return (
    <Stack maw={520} mx="auto" mt={64} gap="sm">
      <PageHeader title="There is no such page" />
      <Text>The address may be mistyped, or the camera it led to may have been deleted.</Text>
      <Button component={Link} to="/" style={{ alignSelf: 'flex-start' }}>
        To the cameras
      </Button>
    </Stack>
  );
}
