// An error message with advice, and a retry button where the query can be repeated.
import { Button } from '@mantine/core';
import { ApiError } from '../api/http';
import { Notice } from './Notice';
import { sentence } from '../formatting/sentence';

interface FailureProps {
  title: string;
  error: Error;
  onRetry?: () => void;
}

function adviceFor(error: Error): string | null {
  if (!(error instanceof ApiError)) return null;
  if (error.status === 0) return 'Check your network connection and whether the service is running.';
  if (error.status >= 500) return 'The Health page shows which component has failed.';
  return null;
}

export function Failure({ title, error, onRetry }: FailureProps) {
  return (
    <Notice tone="bad" title={title} role="alert">
      {sentence(error.message)} {adviceFor(error)} {onRetry && 'This page retries automatically.'}
      {onRetry && (
        <div>
          <Button size="xs" variant="default" mt="xs" onClick={onRetry}>
            Try now
          </Button>
        </div>
      )}
    </Notice>
  );
}
