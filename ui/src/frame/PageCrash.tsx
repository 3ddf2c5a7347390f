// Shown instead of a page that threw an error.
import { Button, Code, Group, Stack, Text, Title } from '@mantine/core';
import { useEffect } from 'react';
import { isRouteErrorResponse, Link, useRouteError } from 'react-router';
import { PageNotLoaded } from './PageNotLoaded';

export function PageCrash() {
  const error = useRouteError();
  const isOutdated = error instanceof PageNotLoaded && error.isOutdated;
  useEffect(() => {
    if (isOutdated) window.location.reload();
  }, [isOutdated]);
  if (isOutdated) return null;
  const isAway = error instanceof PageNotLoaded;
  const detail = isRouteErrorResponse(error)
    ? `${error.status} ${error.statusText}`
    : error instanceof Error
      ? error.message
      : String(error);
  return (
    <Stack maw={560} mx="auto" mt={64} gap="sm" px="md" role="alert">
      <Title order={1}>{isAway ? 'This page could not be loaded' : 'This page failed'}</Title>
      <Text>
        {isAway
          ? 'The server cannot be reached. Reload the page when the connection is back.'
          : 'The error is in the page; your cameras keep running. Reload the page. If it fails again, report this error:'}
      </Text>
      {!isAway && <Code block>{detail}</Code>}
      <Group>
        <Button onClick={() => window.location.reload()}>Reload</Button>
        <Button variant="default" component={Link} to="/">
          Show cameras
        </Button>
      </Group>
    </Stack>
  );
}
