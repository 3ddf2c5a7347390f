// Asks for a date and time in the camera's time zone.
import { Button, Group, Modal, Stack, Text } from '@mantine/core';
import { useState, type FormEvent } from 'react';
import { useFullscreenTarget } from '../widgets/useFullscreenTarget';
import { MomentFields } from '../widgets/MomentFields';

interface JumpToTimeProps {
  timeZone: string;
  /** Initial value of the fields. */
  momentMs: number;
  oldestMs: number | null;
  onJump: (momentMs: number) => void;
  onClose: () => void;
}

function JumpForm({ timeZone, momentMs, oldestMs, onJump, onClose }: JumpToTimeProps) {
  const [chosenMs, setChosenMs] = useState<number | null>(momentMs);
  const [now] = useState(() => Date.now());
  const isFuture = chosenMs !== null && chosenMs > now;
  const isTooOld = chosenMs !== null && oldestMs !== null && chosenMs < oldestMs;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (chosenMs === null || isFuture) return;
    onJump(chosenMs);
    onClose();
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="sm">
        <MomentFields
          timeZone={timeZone}
          firstMs={momentMs}
          onChange={setChosenMs}
          error={isFuture ? 'This time is in the future' : null}
          hasFocus
        />
        <Text size="xs" c="dimmed">
          Time zone: {timeZone}.{isTooOld && ' This is before the oldest footage, which is shown instead.'}
        </Text>
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" disabled={chosenMs === null || isFuture}>
            Show
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

export function JumpToTime({ isOpen, ...props }: JumpToTimeProps & { isOpen: boolean }) {
  return (
    <Modal
      opened={isOpen}
      onClose={props.onClose}
      title="Jump to a time"
      centered
      size="sm"
      portalProps={useFullscreenTarget()}
    >
      <JumpForm {...props} />
    </Modal>
  );
}
