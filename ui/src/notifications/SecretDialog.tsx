// Shows the new signing secret of a webhook, once.
import { Modal, Stack, Text } from '@mantine/core';
import { CopyField } from '../widgets/CopyField';
import { Failure } from '../widgets/Failure';

interface SecretDialogProps {
  name: string;
  secret: string | null;
  error: Error | null;
  onClose: () => void;
}

export function SecretDialog({ name, secret, error, onClose }: SecretDialogProps) {
  return (
    <Modal opened={secret !== null || error !== null} onClose={onClose} title={`Signing secret of “${name}”`} centered>
      {error && <Failure title="There is no new secret" error={error} />}
      {secret && (
        <Stack gap="sm">
          <Text size="sm">
            The receiver checks signatures with this secret. It is not shown again. For 24 hours the former one signs
            too.
          </Text>
          <CopyField label="Secret" value={secret} />
        </Stack>
      )}
    </Modal>
  );
}
