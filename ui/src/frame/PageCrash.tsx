// Shown instead of a page that threw an error.
import { Button, Code, Group, Stack, Text, Title } from '@mantine/core';
import { isRouteErrorResponse, Link, useRouteError } from 'react-router';

export function PageCrash() {
  const error = useRouteError();
  const detail = isRouteErrorResponse(error)
    ? `${error.status} ${error.statusText}`
    : error instanceof Error
      ? error.message
      : String(error);
  return (
    <Stack maw={560} mx="auto" mt={64} gap="sm" px="md" role="alert">
      <Title order={1}>This page failed</Title>
      <Text>
        The error is in the page; your cameras keep running. Reload the page. If it fails again, report this error:
      </Text>
      <Code block>{detail}</Code>
      <Group>
        <Button onClick={() => window.location.reload()}>Reload</Button>
        <Button variant="default" component={Link} to="/">
          Show cameras
        </Button>
      </Group>
    </Stack>
  );
}
