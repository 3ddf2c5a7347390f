// There is no camera, so there is nothing to record yet.
import { IconMovie } from '@tabler/icons-react';
import { EmptyState } from '../widgets/EmptyState';

export function EmptyRecordings() {
  return (
    <EmptyState Icon={IconMovie} title="Nothing to record yet" action={{ to: '/devices/new', label: 'Add camera' }}>
      Recordings belong to cameras. Add one, and its footage appears here: always, by a weekly plan or around events, as
      you choose.
    </EmptyState>
  );
}
