// What every field of options gets, and what it reads from the schema.
import type { OptionSchema, OptionValues } from '../api/pluginOptions';
import { sentence } from '../formatting/sentence';

export interface OptionFieldProps {
  schema: OptionSchema;
  value: unknown;
  onChange: (value: unknown) => void;
  error: string | undefined;
  /** The place of the field in errors: `data-path`. */
  name: string;
  /** The device that the options are of, for fields that show its picture. */
  deviceId: string | undefined;
  /** All options of the form, for fields that depend on others. */
  values: OptionValues;
  /** Tells whether what was typed is no value yet, such as half of a JSON text. */
  onInvalid: (message: string | null) => void;
}

/** The help of an option; the backticks of its words are those of the OpenAPI document. */
export function helpText({ description }: OptionSchema): string | undefined {
  return description && sentence(description.replaceAll('`', ''));
}

/** The label, description and error of a field, as Mantine's inputs take them. */
export function inputProps({ schema, error, name }: OptionFieldProps) {
  return {
    label: schema.title,
    description: helpText(schema),
    error,
    'data-path': name,
  };
}

/** Whether the option itself accepts null. */
export function acceptsNull(schema: OptionSchema): boolean {
  return Array.isArray(schema.type) && schema.type.includes('null');
}
