// The events page without events: how to switch on what sees them; or the time in which there are none.
import { Button, Group, Stack, Text } from '@mantine/core';
import { IconCalendarOff, IconEye } from '@tabler/icons-react';
import type { Plugin } from '../api/types';
import { EmptyState } from '../widgets/EmptyState';

/** Plugins that provide detectors. */
const DETECTS = 'register_detectors';

export function EmptyEvents({ plugins }: { plugins: Plugin[] | undefined }) {
  const [detecting] = (plugins ?? []).filter(({ hooks, state }) => hooks.includes(DETECTS) && state !== 'off');
  const hasOptions = detecting !== undefined && (detecting.options ?? []).length > 0;
  return (
    <EmptyState
      Icon={IconEye}
      title="No events yet"
      action={
        hasOptions
          ? { to: `/plugins/${encodeURIComponent(detecting.name)}`, label: 'Switch on for all cameras' }
          : { to: '/health', label: 'Show plugins' }
      }
    >
      {hasOptions
        ? 'Motion, people and vehicles appear here, with their best picture, once the analysis of pictures is on: for all cameras, or on the page of one camera under “Plugins”.'
        : 'Motion, people and vehicles appear here once a plugin analyses the pictures of cameras. None that does is installed and on.'}
    </EmptyState>
  );
}

interface NoEventsInTimeProps {
  /** The time is one filter among others. */
  hasOthers: boolean;
  onWiden: () => void;
  onClear: () => void;
}

export function NoEventsInTime({ hasOthers, onWiden, onClear }: NoEventsInTimeProps) {
  return (
    <Stack className="surface" align="center" ta="center" gap="xs" px="lg" py={56}>
      <IconCalendarOff size={30} stroke={1.4} aria-hidden />
      <Text fw={600}>No event in this time</Text>
      <Group gap="xs" justify="center">
        <Button onClick={onWiden}>Show any time</Button>
        {hasOthers && (
          <Button variant="default" onClick={onClear}>
            Clear all filters
          </Button>
        )}
      </Group>
    </Stack>
  );
}
