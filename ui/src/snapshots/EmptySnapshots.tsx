// The empty gallery, with how to take a snapshot.
import { Kbd } from '@mantine/core';
import { IconCamera } from '@tabler/icons-react';
import { EmptyState } from '../widgets/EmptyState';

export function EmptySnapshots() {
  return (
    <EmptyState Icon={IconCamera} title="No snapshots yet" action={{ to: '/', label: 'Show cameras' }}>
      A snapshot is a still picture of a camera. Press <Kbd>S</Kbd> or the camera button below the player while you
      watch live or recorded video. Schedules take snapshots automatically.
    </EmptyState>
  );
}
