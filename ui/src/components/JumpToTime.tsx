// Asks for a moment by date and time, on the clocks where the camera is.
import { Button, Group, Modal, Stack, Text, TextInput } from '@mantine/core';
import { useState, type FormEvent } from 'react';
import { useFullscreenTarget } from '../hooks/useFullscreenTarget';
import { instantOf, wallAt } from '../timeline/timeZone';

interface JumpToTimeProps {
  timeZone: string;
  /** What the fields say at first. */
  momentMs: number;
  oldestMs: number | null;
  onJump: (momentMs: number) => void;
  onClose: () => void;
}

/** Null where the two are no date and time. */
export function readMoment(timeZone: string, date: string, time: string): number | null {
  const clock = /^(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?$/.exec(time.trim());
  const wallMs = clock ? Date.parse(`${date}T${clock[1]?.padStart(2, '0')}:${clock[2]}:${clock[3] ?? '00'}Z`) : Number.NaN;
  return Number.isFinite(wallMs) ? instantOf(timeZone, wallMs) : null;
}

function JumpForm({ timeZone, momentMs, oldestMs, onJump, onClose }: JumpToTimeProps) {
  const wall = new Date(wallAt(timeZone, momentMs)).toISOString();
  const [date, setDate] = useState(wall.slice(0, 10));
  const [time, setTime] = useState(wall.slice(11, 19));
  const [now] = useState(() => Date.now());
  const asked = readMoment(timeZone, date, time);
  const isFuture = asked !== null && asked > now;
  const isTooOld = asked !== null && oldestMs !== null && asked < oldestMs;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (asked === null || isFuture) return;
    onJump(asked);
    onClose();
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="sm">
        <Group grow align="flex-start" gap="sm">
          <TextInput
            type="date"
            label="Date"
            value={date}
            max={new Date(wallAt(timeZone, now)).toISOString().slice(0, 10)}
            onChange={(event) => setDate(event.currentTarget.value)}
            error={isFuture ? 'That is still to come' : null}
          />
          <TextInput type="time" step={1} label="Time" data-autofocus value={time} onChange={(event) => setTime(event.currentTarget.value)} />
        </Group>
        <Text size="xs" c="dimmed">
          Clocks of {timeZone}.{isTooOld && ' Older than the oldest footage: that is shown instead.'}
        </Text>
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" disabled={asked === null || isFuture}>
            Show
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

export function JumpToTime({ isOpen, ...props }: JumpToTimeProps & { isOpen: boolean }) {
  return (
    <Modal opened={isOpen} onClose={props.onClose} title="Jump to a time" centered size="sm" portalProps={useFullscreenTarget()}>
      <JumpForm {...props} />
    </Modal>
  );
}
