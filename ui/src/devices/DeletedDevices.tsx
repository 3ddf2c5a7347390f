// The bin below the list of cameras: what was deleted, until when it can be restored, and its removal for good.
import { Button, Group, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { modals } from '@mantine/modals';
import { IconChevronDown, IconRestore, IconTrash } from '@tabler/icons-react';
import type { DeletedDevice } from '../api/types';
import { formatBytes } from '../formatting/amounts';
import { formatSpan } from '../formatting/moments';
import { Timestamp } from '../widgets/Timestamp';
import { useNow } from '../widgets/useNow';
import { useDeletedDevices, usePurgeDevice, useRestoreDevice } from './useDeletedDevices';
import classes from './DeletedDevices.module.css';

export function DeletedDevices() {
  const { data: devices } = useDeletedDevices();
  const [isOpen, { toggle }] = useDisclosure(false);
  if (!devices || devices.length === 0) return null;
  const count = devices.length === 1 ? '1 deleted camera' : `${devices.length} deleted cameras`;
  return (
    <section aria-label="Deleted cameras">
      <Button
        size="compact-sm"
        variant="subtle"
        color="gray"
        leftSection={<IconTrash size={15} />}
        rightSection={<IconChevronDown size={14} />}
        aria-expanded={isOpen}
        onClick={toggle}
      >
        {count} can be restored
      </Button>
      {isOpen && (
        <ul className={`surface ${classes.list}`}>
          {devices.map((device) => (
            <DeletedRow key={device.id} device={device} />
          ))}
        </ul>
      )}
    </section>
  );
}

function DeletedRow({ device }: { device: DeletedDevice }) {
  const restore = useRestoreDevice();
  const purge = usePurgeDevice();
  const now = useNow(30_000);
  const askToPurge = () =>
    modals.openConfirmModal({
      title: 'Remove this camera for good?',
      children: (
        <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
          {formatBytes(device.bytes)} of footage of “{device.name}” are deleted now, protected ranges as well. This
          cannot be undone.
        </Text>
      ),
      labels: { confirm: 'Remove for good', cancel: 'Keep it' },
      confirmProps: { color: 'red' },
      onConfirm: () => purge.mutate(device),
    });
  return (
    <li className={classes.row}>
      <div className={classes.about}>
        <div className={classes.name}>{device.name}</div>
        <Text size="sm" c="dimmed">
          Deleted <Timestamp at={device.deleted_at} />, {formatBytes(device.bytes)} of footage. Can be restored for{' '}
          {formatSpan(Date.parse(device.until) - now)} more.
        </Text>
      </div>
      <Group gap="xs">
        <Button
          size="xs"
          variant="default"
          leftSection={<IconRestore size={15} />}
          loading={restore.isPending}
          onClick={() => restore.mutate(device)}
        >
          Restore
        </Button>
        <Button size="xs" variant="subtle" color="red" loading={purge.isPending} onClick={askToPurge}>
          Remove for good…
        </Button>
      </Group>
    </li>
  );
}
