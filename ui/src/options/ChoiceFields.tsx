// Options that are one or several of some words.
import { Chip, Group, Input, Select } from '@mantine/core';
import type { OptionSchema } from '../api/pluginOptions';
import { acceptsNull, inputProps, type OptionFieldProps } from './fieldProps';

function wordsOf(choices: OptionSchema['enum']): { value: string; label: string }[] {
  return (choices ?? [])
    .filter((choice) => choice !== null)
    .map((choice) => {
      const text = String(choice);
      return { value: text, label: text.charAt(0).toUpperCase() + text.slice(1).replaceAll('_', ' ') };
    });
}

/** The choice itself, which need not be a text. */
const choiceOf = (choices: OptionSchema['enum'], text: string | null): unknown =>
  (choices ?? []).find((choice) => choice !== null && String(choice) === text) ?? null;

export function ChoiceField(props: OptionFieldProps) {
  const { schema, value, onChange } = props;
  return (
    <Select
      {...inputProps(props)}
      maw={260}
      data={wordsOf(schema.enum)}
      value={value === null || value === undefined ? null : String(value)}
      clearable={acceptsNull(schema)}
      allowDeselect={false}
      onChange={(text) => onChange(choiceOf(schema.enum, text))}
    />
  );
}

export function ChoicesField(props: OptionFieldProps) {
  const { schema, value, onChange } = props;
  const chosen = Array.isArray(value) ? value.map(String) : [];
  const { label, description, error } = inputProps(props);
  return (
    <Input.Wrapper label={label} description={description} error={error} labelElement="div">
      <Chip.Group
        multiple
        value={chosen}
        onChange={(texts) => {
          // In the order of the schema.
          onChange((schema.items?.enum ?? []).filter((choice) => texts.includes(String(choice))));
        }}
      >
        <Group gap={6} mt={6} role="group" aria-label={label} data-path={props.name}>
          {wordsOf(schema.items?.enum).map((word) => (
            <Chip key={word.value} value={word.value} size="sm" radius="sm">
              {word.label}
            </Chip>
          ))}
        </Group>
      </Chip.Group>
    </Input.Wrapper>
  );
}
