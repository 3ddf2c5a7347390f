// What a rule would have done within the last day, while it is edited.
import { Text } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { previewRule, type RuleFields } from '../api/notifications';
import { sentence } from '../formatting/sentence';
import classes from './Notifications.module.css';

const PAUSE_MS = 400;
const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

export function RulePreview({ fields }: { fields: RuleFields }) {
  const [asked] = useDebouncedValue(JSON.stringify({ ...fields, name: fields.name.trim() || 'new' }), PAUSE_MS);
  const { data, error } = useQuery({
    queryKey: ['rule-preview', asked],
    queryFn: ({ signal }) => previewRule(JSON.parse(asked) as RuleFields, signal),
    placeholderData: keepPreviousData,
    staleTime: 30_000,
    retry: false,
  });
  const newest = data?.newest[0];
  return (
    <div className={classes.preview} role="status" aria-label="Preview">
      <Text size="sm" fw={600}>
        {error
          ? 'No preview'
          : data
            ? `Matches ${plural(data.matched, 'event')} of the last day: ${plural(data.notifications, 'notification')}`
            : 'Looking at the events of the last day…'}
      </Text>
      {error && (
        <Text size="sm" c="dimmed">
          {sentence(error.message)}
        </Text>
      )}
      {!error && newest && (
        <Text size="sm" c="dimmed">
          The newest: “{newest.title}” {newest.text}
        </Text>
      )}
    </div>
  );
}
