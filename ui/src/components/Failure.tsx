// An error with what to do about it.
import { Alert, Button, Group, Text } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { ApiError } from '../api/http';
import { sentence } from './sentence';

interface FailureProps {
  title: string;
  error: Error;
  onRetry?: () => void;
}

function adviceFor(error: Error): string | null {
  if (!(error instanceof ApiError)) return null;
  if (error.status === 0) return 'Check your network and that the service runs. This page asks again by itself.';
  if (error.status >= 500) return 'The Health page says which part is at fault.';
  return null;
}

export function Failure({ title, error, onRetry }: FailureProps) {
  const advice = adviceFor(error);
  return (
    <Alert color="red" variant="light" icon={<IconAlertTriangle />} title={title} role="alert">
      <Text size="sm">
        {sentence(error.message)} {advice}
      </Text>
      {onRetry && (
        <Group mt="sm">
          <Button size="xs" color="red" variant="outline" onClick={onRetry}>
            Try again
          </Button>
        </Group>
      )}
    </Alert>
  );
}
