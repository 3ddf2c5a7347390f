// A device's tags; many become a number.
import { Badge, Group } from '@mantine/core';

export function TagList({ tags, most = 3, isAtEnd = false }: { tags: string[]; most?: number; isAtEnd?: boolean }) {
  if (tags.length === 0) return null;
  const hidden = tags.slice(most);
  return (
    <Group gap={4} wrap="wrap" component="span" justify={isAtEnd ? 'flex-end' : undefined}>
      {tags.slice(0, most).map((tag) => (
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
