// The placeholder for recordings while there is no camera.
import { IconMovie } from '@tabler/icons-react';
import { EmptyState } from '../widgets/EmptyState';

export function EmptyRecordings() {
  return (
    <EmptyState Icon={IconMovie} title="No recordings yet" action={{ to: '/devices/new', label: 'Add camera' }}>
      Add a camera to record it: continuously, by a weekly plan or on events. Its footage appears here.
    </EmptyState>
  );
}
