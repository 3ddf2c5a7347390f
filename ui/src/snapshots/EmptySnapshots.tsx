// No snapshot has been kept yet: what they are and how one is taken.
import { Kbd } from '@mantine/core';
import { IconCamera } from '@tabler/icons-react';
import { EmptyState } from '../widgets/EmptyState';

export function EmptySnapshots() {
  return (
    <EmptyState Icon={IconCamera} title="No snapshots yet" action={{ to: '/', label: 'Go to the cameras' }}>
      A snapshot keeps one picture of a camera: press the camera button below its player, live or in a recording, or the
      key <Kbd>S</Kbd>. A schedule can take them as well.
    </EmptyState>
  );
}
