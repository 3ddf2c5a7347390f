// The reason for which a marked range is protected. Escape closes it and leaves the range marked.
import { Button, TextInput } from '@mantine/core';
import { useEffect, useRef, useState, type KeyboardEvent } from 'react';
import classes from './RangePanel.module.css';

interface ProtectFormProps {
  isSending: boolean;
  onProtect: (note: string) => void;
  onCancel: () => void;
}

export function ProtectForm({ isSending, onProtect, onCancel }: ProtectFormProps) {
  const [note, setNote] = useState('');
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);
  const press = (event: KeyboardEvent) => {
    if (event.key !== 'Escape') return;
    event.preventDefault();
    event.stopPropagation();
    onCancel();
  };
  return (
    <form
      className={classes.keep}
      onKeyDown={press}
      onSubmit={(event) => {
        event.preventDefault();
        onProtect(note.trim());
      }}
    >
      <TextInput
        ref={field}
        label="Reason"
        description="Retention does not delete the range until the protection is removed."
        placeholder="Accident at the ramp, case 2026-114"
        maxLength={200}
        value={note}
        onChange={(event) => setNote(event.currentTarget.value)}
      />
      <Button type="submit" size="sm" loading={isSending}>
        Protect this range
      </Button>
    </form>
  );
}
