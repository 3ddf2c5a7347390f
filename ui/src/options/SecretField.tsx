// A secret option: it is never shown, only set, replaced and removed.
import { Button, Group, Input, PasswordInput, Text } from '@mantine/core';
import { useState } from 'react';
import type { OptionSchema } from '../api/pluginOptions';
import { helpText } from './fieldProps';

interface SecretFieldProps {
  name: string;
  schema: OptionSchema;
  /** Whether one is stored at this place. */
  isStored: boolean;
  /** undefined: as stored; null: to be removed. */
  value: string | null | undefined;
  error: string | undefined;
  onChange: (value: string | null | undefined) => void;
}

export function SecretField({ name, schema, isStored, value, error, onChange }: SecretFieldProps) {
  const [isTyping, setTyping] = useState(false);
  const isShown = isTyping || typeof value === 'string' || (!isStored && value === undefined);
  if (isShown) {
    return (
      <Group align="flex-end" gap="xs" wrap="nowrap">
        <PasswordInput
          flex={1}
          maw={420}
          label={schema.title}
          description={helpText(schema)}
          error={error}
          data-path={name}
          autoComplete="new-password"
          maxLength={schema.maxLength}
          value={value ?? ''}
          onChange={(event) => onChange(event.currentTarget.value || undefined)}
        />
        {isStored && (
          <Button
            variant="default"
            onClick={() => {
              setTyping(false);
              onChange(undefined);
            }}
          >
            Keep the stored one
          </Button>
        )}
      </Group>
    );
  }
  return (
    <Input.Wrapper label={schema.title} description={helpText(schema)} error={error} labelElement="div">
      <Group gap="xs" mt={4} role="group" aria-label={schema.title}>
        <Text size="sm">{value === null ? 'Will be removed' : '•••••••• is set'}</Text>
        {value === null ? (
          <Button size="xs" variant="default" onClick={() => onChange(undefined)}>
            Keep it
          </Button>
        ) : (
          <>
            <Button size="xs" variant="default" onClick={() => setTyping(true)}>
              Replace
            </Button>
            <Button size="xs" variant="default" c="var(--vas-bad)" onClick={() => onChange(null)}>
              Remove
            </Button>
          </>
        )}
      </Group>
    </Input.Wrapper>
  );
}
