// What is done to a range of footage: keep it from being deleted, or delete it after a question that says how much goes.
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
        Files that reach over the edges of the range stay.
        {counted.kept_protected > 0 &&
          ` ${counted.kept_protected} protected ${counted.kept_protected === 1 ? 'file stays' : 'files stay'} too: remove the protection first to delete them.`}
      </Text>
    </>
  );
}

interface Named {
  deviceId: string;
  name: string;
  /** The range's ends as people read them. */
  edges: [string, string];
}

export function useFootageActions({ deviceId, name, edges }: Named, onDone: () => void) {
  const client = useQueryClient();
  const refresh = () => client.invalidateQueries({ queryKey: recordingKeys.all });

  const keep = useMutation({
    mutationFn: ({ range, note }: { range: Range; note: string }) => protectFootage(deviceId, range, note),
    onSuccess: () => {
      notifications.show({ message: 'The range is kept until the protection is removed.' });
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
        const why =
          counted.kept_protected > 0 ? 'All of it is protected.' : 'No whole file lies inside it: mark a longer range.';
        notifications.show({ title: 'Nothing to delete in this range', message: why, autoClose: 8_000 });
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
    onError: (error) => notifyFailure('It could not be counted what would be deleted', error),
  });

  return { keep, askToDelete: ask, isDeleting: remove.isPending };
}
