// The actions on one device: start or stop, edit, delete.
import { ActionIcon, Group, Menu, Tooltip } from '@mantine/core';
import { IconDotsVertical, IconPencil, IconPlayerPlay, IconPlayerStop, IconTrash } from '@tabler/icons-react';
import { Link } from 'react-router';
import type { Device } from '../api/types';
import { useDeleteDevice } from './useDeleteDevice';
import { useStreamControl } from './useStreamControl';

export function DeviceActions({ device }: { device: Device }) {
  const control = useStreamControl();
  const askToDelete = useDeleteDevice();
  const isDesired = device.desired === 'running';
  const verb = isDesired ? 'Stop' : 'Start';
  return (
    <Group gap={2} wrap="nowrap" justify="flex-end">
      <Tooltip label={device.enabled ? verb : 'Disabled: enable the camera under Edit'}>
        <ActionIcon
          variant="subtle"
          color="gray"
          size="lg"
          aria-label={`${verb} ${device.name}`}
          loading={control.isPending}
          aria-disabled={!device.enabled}
          style={device.enabled ? undefined : { opacity: 0.35, cursor: 'not-allowed' }}
          onClick={() => {
            if (device.enabled)
              control.mutate({
                id: device.id,
                name: device.name,
                desired: isDesired ? 'stopped' : 'running',
                isRecorded: device.recording?.observed === 'recording',
              });
          }}
        >
          {isDesired ? <IconPlayerStop size={18} stroke={1.7} /> : <IconPlayerPlay size={18} stroke={1.7} />}
        </ActionIcon>
      </Tooltip>
      <Menu position="bottom-end" width={170}>
        <Menu.Target>
          <ActionIcon variant="subtle" color="gray" size="lg" aria-label={`More actions for ${device.name}`}>
            <IconDotsVertical size={18} stroke={1.7} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item
            component={Link}
            to={`/devices/${device.id}/edit`}
            leftSection={<IconPencil size={16} stroke={1.7} />}
          >
            Edit
          </Menu.Item>
          <Menu.Item color="red" leftSection={<IconTrash size={16} stroke={1.7} />} onClick={() => askToDelete(device)}>
            Delete…
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </Group>
  );
}
