// Actions on a range of footage: protect it from deletion, or delete it after a confirmation that shows how much is deleted.
import { Text } from '@mantine/core';
import { modals } from '@mantine/modals';
import { notifications } from '@mantine/notifications';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { deleteFootage, protectFootage, type Range } from '../api/recordings';
import type { FootageDeletion } from '../api/recordingTypes';
import { formatBytes } from '../formatting/amounts';
import { formatSpan } from '../formatting/moments';
import { recordingKeys } from '../api/recordingKeys';
import { notifyFailure } from '../widgets/notifyFailure';

export function DeletionSummary({
  name,
  from,
  to,
  counted,
}: {
  name: string;
  from: string;
  to: string;
  counted: FootageDeletion;
}) {
  return (
    <>
      <Text size="sm">
        <b>{formatSpan(counted.seconds * 1000)}</b> of “{name}” ({formatBytes(counted.bytes)}, {counted.segments}{' '}
        {counted.segments === 1 ? 'file' : 'files'}) between {from} and {to} will be deleted. This cannot be undone.
      </Text>
      <Text size="sm" mt="xs" c="dimmed">
        Files that extend beyond the range are not deleted.
        {counted.kept_protected > 0 &&
          ` ${counted.kept_protected} protected ${counted.kept_protected === 1 ? 'file is' : 'files are'} not deleted either: remove the protection first.`}
      </Text>
    </>
  );
}

interface Named {
  deviceId: string;
  name: string;
  /** Start and end of the range as text. */
  edges: [string, string];
}

export function useFootageActions({ deviceId, name, edges }: Named, onDone: () => void) {
  const client = useQueryClient();
  const refresh = () => client.invalidateQueries({ queryKey: recordingKeys.all });

  const protect = useMutation({
    mutationFn: ({ range, note }: { range: Range; note: string }) => protectFootage(deviceId, range, note),
    onSuccess: () => {
      notifications.show({ message: 'The range is protected until the protection is removed.' });
      onDone();
    },
    onError: (error) => notifyFailure('The range was not protected', error),
    onSettled: refresh,
  });

  const remove = useMutation({
    mutationFn: (range: Range) => deleteFootage(deviceId, range, false),
    onSuccess: ({ seconds, bytes }) => {
      notifications.show({ message: `${formatSpan(seconds * 1000)} of footage deleted (${formatBytes(bytes)}).` });
      onDone();
    },
    onError: (error) => notifyFailure('The footage was not deleted', error),
    onSettled: refresh,
  });

  const ask = useMutation({
    mutationFn: (range: Range) => deleteFootage(deviceId, range, true),
    onSuccess: (counted, range) => {
      if (counted.segments === 0) {
        const reason =
          counted.kept_protected > 0 ? 'All of it is protected.' : 'It contains no complete file: mark a longer range.';
        notifications.show({ title: 'Nothing to delete in this range', message: reason, autoClose: 8_000 });
        return;
      }
      modals.openConfirmModal({
        title: 'Delete this footage?',
        children: <DeletionSummary name={name} from={edges[0]} to={edges[1]} counted={counted} />,
        labels: { confirm: `Delete ${formatSpan(counted.seconds * 1000)}`, cancel: 'Keep it' },
        confirmProps: { color: 'red' },
        onConfirm: () => remove.mutate(range),
      });
    },
    onError: (error) => notifyFailure('The footage to delete could not be counted', error),
  });

  return { protect, askToDelete: ask, isDeleting: remove.isPending };
}
