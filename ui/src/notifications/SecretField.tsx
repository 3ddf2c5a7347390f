// A password that is set on the server and not shown: it stays unless it is replaced or removed.
import { Button, Group, PasswordInput, Text } from '@mantine/core';
import type { ReactNode } from 'react';

interface SecretFieldProps {
  label: string;
  /** null: as it was. */
  value: string | null;
  error?: ReactNode;
  onChange: (value: string | null) => void;
}

export function SecretField({ label, value, error, onChange }: SecretFieldProps) {
  if (value === null)
    return (
      <Group gap="xs">
        <Text size="sm">{label}: set, not shown</Text>
        <Button size="compact-xs" variant="default" onClick={() => onChange('')}>
          Replace or remove
        </Button>
      </Group>
    );
  return (
    <PasswordInput
      label={label}
      autoComplete="new-password"
      value={value}
      error={error}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}
