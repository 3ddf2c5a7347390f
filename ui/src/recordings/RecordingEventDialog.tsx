// The dialog that marks an event at the present time on the timeline. A camera in event mode starts recording on it.
import { Button, Group, Modal, NumberInput, Stack, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { notifications } from '@mantine/notifications';
import { useState } from 'react';
import { ApiError } from '../api/http';
import { Failure } from '../widgets/Failure';
import { sentence } from '../formatting/sentence';

interface EventFields {
  label: string;
  note: string;
  duration_seconds: number;
}

interface RecordingEventDialogProps {
  isOpen: boolean;
  /** Whether the event starts a recording. */
  startsRecording: boolean;
  onClose: () => void;
  onMark: (event: EventFields) => Promise<unknown>;
}

export function RecordingEventDialog({ isOpen, startsRecording, onClose, onMark }: RecordingEventDialogProps) {
  const [failure, setFailure] = useState<Error | null>(null);
  const [isSending, setSending] = useState(false);
  const form = useForm<EventFields>({
    initialValues: { label: '', note: '', duration_seconds: 0 },
    validate: { label: (label) => (label.trim() ? null : 'Enter a name') },
  });
  const send = async (values: EventFields) => {
    setFailure(null);
    setSending(true);
    try {
      await onMark({
        label: values.label.trim(),
        note: values.note.trim(),
        duration_seconds: Number(values.duration_seconds) || 0,
      });
      notifications.show({ message: `“${values.label.trim()}” was marked.` });
      form.reset();
      onClose();
    } catch (error) {
      const fields = error instanceof ApiError ? Object.entries(error.errors).filter(([field]) => field in values) : [];
      if (fields.length > 0) form.setErrors(Object.fromEntries(fields.map(([field, text]) => [field, sentence(text)])));
      else setFailure(error as Error);
    } finally {
      setSending(false);
    }
  };
  return (
    <Modal opened={isOpen} onClose={onClose} title="Mark an event" centered radius="md">
      <form noValidate onSubmit={form.onSubmit(send)}>
        <Stack gap="sm">
          <TextInput
            label="Name"
            required
            placeholder="Delivery at the gate"
            data-autofocus
            {...form.getInputProps('label')}
          />
          <TextInput label="Note" {...form.getInputProps('note')} />
          <NumberInput
            label="Duration"
            description={
              startsRecording
                ? 'Recording continues for this time plus the time after an event in the recording settings.'
                : 'Length of the mark on the timeline; 0 for a single moment.'
            }
            suffix=" s"
            min={0}
            max={86_400}
            allowDecimal={false}
            allowNegative={false}
            {...form.getInputProps('duration_seconds')}
          />
          {failure && <Failure title="The event was not marked" error={failure} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={isSending}>
              Mark event
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
