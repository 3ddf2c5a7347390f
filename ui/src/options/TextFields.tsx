// Options that are a text, a text of several lines, or a list of texts.
import { TagsInput, Textarea, TextInput } from '@mantine/core';
import { inputProps, type OptionFieldProps } from './fieldProps';

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

export function TextField(props: OptionFieldProps) {
  return (
    <TextInput
      {...inputProps(props)}
      value={textOf(props.value)}
      maxLength={props.schema.maxLength}
      onChange={(event) => props.onChange(event.currentTarget.value)}
    />
  );
}

export function LinesField(props: OptionFieldProps) {
  return (
    <Textarea
      {...inputProps(props)}
      autosize
      minRows={2}
      maxRows={10}
      value={textOf(props.value)}
      maxLength={props.schema.maxLength}
      onChange={(event) => props.onChange(event.currentTarget.value)}
    />
  );
}

export function TextsField(props: OptionFieldProps) {
  const texts = Array.isArray(props.value) ? props.value.map(String) : [];
  return (
    <TagsInput
      {...inputProps(props)}
      placeholder={texts.length > 0 ? undefined : 'Type and press Enter'}
      acceptValueOnBlur
      clearable
      maxTags={props.schema.maxItems}
      value={texts}
      onChange={props.onChange}
    />
  );
}
