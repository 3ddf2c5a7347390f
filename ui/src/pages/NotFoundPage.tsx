// Shown for an unknown address, and for a camera that does not exist.
import { Button, Stack, Text } from '@mantine/core';
import { Link } from 'react-router';
import { PageHeader } from '../widgets/PageHeader';

export function NotFoundPage({ isCamera = false }: { isCamera?: boolean }) {
  return (
    <Stack maw={520} mx="auto" mt={64} gap="sm">
      <PageHeader title={isCamera ? 'Camera not found' : 'Page not found'} />
      <Text>
        {isCamera
          ? 'There is no camera with this address any more: it was deleted, or the link is incomplete.'
          : 'There is no page at this address.'}
      </Text>
      <Button component={Link} to="/" style={{ alignSelf: 'flex-start' }}>
        Show cameras
      </Button>
    </Stack>
  );
}
