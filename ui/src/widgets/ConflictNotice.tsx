// Notice of a version conflict: somebody else saved the same item; load their version or overwrite it.
import { Button, Group, List } from '@mantine/core';
import { Notice } from './Notice';

export function ConflictNotice({
  noun = 'camera',
  changes = [],
  onReload,
  onOverwrite,
}: {
  noun?: string;
  /** What they have changed, a line each. */
  changes?: readonly string[];
  onReload: () => void;
  onOverwrite: () => void;
}) {
  return (
    <Notice tone="warn" title={`This ${noun} was changed in the meantime`} role="alert">
      Somebody saved it after you opened it. Your changes have not been saved yet.
      {changes.length > 0 && (
        <List size="sm" mt={4} aria-label="Their changes">
          {changes.map((change) => (
            <List.Item key={change}>{change}</List.Item>
          ))}
        </List>
      )}
      <Group mt="xs" gap="xs">
        <Button size="xs" variant="default" onClick={onReload}>
          Show their version
        </Button>
        <Button size="xs" variant="default" c="var(--vas-bad)" onClick={onOverwrite}>
          Overwrite with mine
        </Button>
      </Group>
    </Notice>
  );
}
