// What a person should know before a camera is deleted: its footage, its protected ranges, and how long it can be undone.
import { Button, Group, Stack, Text, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { listProtections, readRecording } from '../api/recordings';
import type { Protection, Recording } from '../api/recordingTypes';
import { formatBytes } from '../formatting/amounts';
import { formatShortMoment, formatSpan } from '../formatting/moments';
import { formatExpected } from '../recordings/retentionText';
import { Notice } from '../widgets/Notice';
import { useShownZone } from '../widgets/useShownZone';

interface DeleteDeviceDialogProps {
  device: { id: string; name: string };
  onDelete: () => void;
  onKeep: () => void;
}

const DAY_MS = 86_400_000;
const MAX_SHOWN = 4;

function useLosses(deviceId: string) {
  return useQuery({
    queryKey: ['deletion', deviceId],
    queryFn: async ({ signal }) => {
      const [{ recording }, protections] = await Promise.all([
        readRecording(deviceId, signal),
        listProtections(deviceId, signal),
      ]);
      return { recording, protections };
    },
    gcTime: 0,
    staleTime: 0,
  });
}

export function DeleteDeviceDialog({ device, onDelete, onKeep }: DeleteDeviceDialogProps) {
  const { data, error } = useLosses(device.id);
  const [typed, setTyped] = useState('');
  // Footage that cannot be counted may be protected.
  const mustType = error !== null || (data !== undefined && data.protections.length > 0);
  const isSure = !mustType || typed.trim() === device.name.trim();
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if ((data || error) && isSure) onDelete();
      }}
    >
      <Stack gap="sm">
        <Text size="sm" fw={600} style={{ overflowWrap: 'anywhere' }}>
          {device.name}
        </Text>
        {!data && !error && (
          <Text size="sm" c="dimmed">
            Counting its footage…
          </Text>
        )}
        {error && (
          <Notice tone="warn" title="Its footage could not be counted">
            It may have protected ranges.
          </Notice>
        )}
        {data && <Losses {...data} />}
        <Text size="sm">
          Its stream and recording stop, and viewers are disconnected. Its snapshots and bookmarks are kept.{' '}
          {data
            ? `For ${formatExpected(data.recording.retention.bin_hours * 3_600)} it can be restored with its settings, history and footage; then its footage is deleted.`
            : 'For a limited time it can be restored with its footage.'}
        </Text>
        {mustType && (
          <TextInput
            label="Type the name of the camera to delete it"
            placeholder={device.name}
            value={typed}
            onChange={(event) => setTyped(event.currentTarget.value)}
            autoComplete="off"
            data-autofocus
          />
        )}
        <Group justify="flex-end" gap="sm">
          <Button variant="default" onClick={onKeep} data-autofocus={mustType ? undefined : true}>
            Keep it
          </Button>
          <Button type="submit" color="red" disabled={(!data && !error) || !isSure}>
            Delete camera
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

function Losses({ recording, protections }: { recording: Recording; protections: Protection[] }) {
  const timeZone = useShownZone(recording.time_zone);
  const { oldest, newest, bytes, seconds } = recording;
  if (!oldest || !newest) return <Text size="sm">It has no footage.</Text>;
  const days = Math.max(1, Math.ceil((Date.parse(newest) - Date.parse(oldest)) / DAY_MS));
  return (
    <Stack gap="xs">
      <Text size="sm">
        <b>{formatBytes(bytes)}</b> of footage: {formatSpan(seconds * 1000)} within {days} {days === 1 ? 'day' : 'days'}
        , from {formatShortMoment(oldest, timeZone)} to {formatShortMoment(newest, timeZone)}.
      </Text>
      {protections.length > 0 && (
        <Notice
          tone="warn"
          title={`${protections.length} protected ${protections.length === 1 ? 'range is' : 'ranges are'} deleted as well`}
        >
          <ul style={{ margin: 0, paddingLeft: '1.1rem' }}>
            {protections.slice(0, MAX_SHOWN).map((one) => (
              <li key={one.id} style={{ overflowWrap: 'anywhere' }}>
                {formatShortMoment(one.start, timeZone)}
                {one.note
                  ? `: ${one.note}`
                  : one.kind === 'hold'
                    ? ''
                    : `: of ${one.kind === 'export' ? 'an export' : 'a bookmark'}`}
              </li>
            ))}
            {protections.length > MAX_SHOWN && <li>and {protections.length - MAX_SHOWN} more</li>}
          </ul>
        </Notice>
      )}
    </Stack>
  );
}
