// An option of a kind that has no field of its own: its JSON.
import { JsonInput } from '@mantine/core';
import { useState } from 'react';
import { inputProps, type OptionFieldProps } from './fieldProps';

const INVALID = 'This is not valid JSON';

export function JsonField(props: OptionFieldProps) {
  const { value, onChange, onInvalid } = props;
  const [typed, setTyped] = useState<{ text: string; value: unknown } | null>(null);
  // What was typed stays as it was typed, until the value comes from elsewhere.
  const isTyped = typed !== null && (typed.value === value || typed.value === undefined);
  return (
    <JsonInput
      {...inputProps(props)}
      autosize
      minRows={3}
      maxRows={16}
      spellCheck={false}
      value={isTyped ? typed.text : JSON.stringify(value ?? null, null, 2)}
      onChange={(text) => {
        try {
          const parsed = JSON.parse(text) as unknown;
          setTyped({ text, value: parsed });
          onInvalid(null);
          onChange(parsed);
        } catch {
          setTyped({ text, value: undefined });
          onInvalid(INVALID);
        }
      }}
    />
  );
}
