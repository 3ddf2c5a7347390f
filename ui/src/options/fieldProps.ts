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

/** The label, description and error of a field, as Mantine's inputs take them. */
export function inputProps({ schema, error, name }: OptionFieldProps) {
  return {
    label: schema.title,
    description: schema.description && sentence(schema.description),
    error,
    'data-path': name,
  };
}

/** Whether the option itself accepts null. */
export function acceptsNull(schema: OptionSchema): boolean {
  return Array.isArray(schema.type) && schema.type.includes('null');
}
