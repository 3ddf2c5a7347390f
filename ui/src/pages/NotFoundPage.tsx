// Shown for an unknown address.
import { Button, Stack, Text } from '@mantine/core';
import { Link } from 'react-router';
import { PageHeader } from '../widgets/PageHeader';

export function NotFoundPage() {
  return (
    <Stack maw={520} mx="auto" mt={64} gap="sm">
      <PageHeader title="Page not found" />
      <Text>The address may be wrong, or the camera may have been deleted.</Text>
      <Button component={Link} to="/" style={{ alignSelf: 'flex-start' }}>
        Show cameras
      </Button>
    </Stack>
  );
}
