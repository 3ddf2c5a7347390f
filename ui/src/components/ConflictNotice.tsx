// Somebody else saved this device in the meantime: take theirs, or overwrite.
import { Alert, Button, Group, Text } from '@mantine/core';
import { IconUsers } from '@tabler/icons-react';

export function ConflictNotice({ onReload, onOverwrite }: { onReload: () => void; onOverwrite: () => void }) {
  return (
    <Alert color="yellow" variant="light" icon={<IconUsers />} title="This camera was changed in the meantime" role="alert">
      <Text size="sm">Somebody saved it after you opened it. Nothing of yours has been saved yet.</Text>
      <Group mt="sm" gap="xs">
        <Button size="xs" variant="default" onClick={onReload}>
          Show their version
        </Button>
        <Button size="xs" color="red" variant="outline" onClick={onOverwrite}>
          Overwrite with mine
        </Button>
      </Group>
    </Alert>
  );
}
