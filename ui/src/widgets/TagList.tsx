// Tags as badges; tags beyond `max` are shown as a number.
import { Badge, Group } from '@mantine/core';

export function TagList({ tags, max = 3, isAtEnd = false }: { tags: string[]; max?: number; isAtEnd?: boolean }) {
  if (tags.length === 0) return null;
  const hidden = tags.slice(max);
  return (
    <Group gap={4} wrap="wrap" component="span" justify={isAtEnd ? 'flex-end' : undefined}>
      {tags.slice(0, max).map((tag) => (
        <Badge key={tag} size="sm" radius="sm" variant="default" tt="none" fw={500} maw={160}>
          {tag}
        </Badge>
      ))}
      {hidden.length > 0 && (
        <Badge size="sm" radius="sm" variant="default" tt="none" fw={500} title={hidden.join(', ')}>
          +{hidden.length}
        </Badge>
      )}
    </Group>
  );
}
