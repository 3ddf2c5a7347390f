// What stands in for a page that broke.
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
      <Title order={1}>This page broke</Title>
      <Text>
        The fault is in the page, not in your cameras: they go on. Load it again; if it breaks again, report this:
      </Text>
      <Code block>{detail}</Code>
      <Group>
        <Button onClick={() => window.location.reload()}>Load again</Button>
        <Button variant="default" component={Link} to="/">
          To the cameras
        </Button>
      </Group>
    </Stack>
  );
}
