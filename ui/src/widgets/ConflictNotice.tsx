// Notice of a version conflict: somebody else saved the same item; load their version or overwrite it.
import { Button, Group } from '@mantine/core';
import { Notice } from './Notice';

export function ConflictNotice({
  noun = 'camera',
  onReload,
  onOverwrite,
}: {
  noun?: string;
  onReload: () => void;
  onOverwrite: () => void;
}) {
  return (
    <Notice tone="warn" title={`This ${noun} was changed in the meantime`} role="alert">
      Somebody saved it after you opened it. Your changes have not been saved yet.
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
