// Somebody else saved the same in the meantime: take theirs, or overwrite.
import { Button, Group } from '@mantine/core';
import { Notice } from './Notice';

export function ConflictNotice({
  what = 'camera',
  onReload,
  onOverwrite,
}: {
  what?: string;
  onReload: () => void;
  onOverwrite: () => void;
}) {
  return (
    <Notice tone="warn" title={`This ${what} was changed in the meantime`} role="alert">
      Somebody saved it after you opened it. Nothing of yours has been saved yet.
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
