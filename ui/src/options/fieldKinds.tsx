// The part of a form for each kind of option. To add a kind, write a component and give it a line here.
import type { ComponentType } from 'react';
import { ChoiceField, ChoicesField } from './ChoiceFields';
import { DurationField } from './DurationField';
import { JsonField } from './JsonField';
import { NumberField } from './NumberField';
import type { OptionFieldProps } from './fieldProps';
import { MasksField, ZonesField } from './PolygonFields';
import { RulesField } from './RulesField';
import { SwitchField } from './SwitchField';
import { LinesField, TextField, TextsField } from './TextFields';
import { TimeWindowField } from './TimeWindowField';

/** Fields of these kinds label themselves. */
const FIELD_KINDS: Record<string, ComponentType<OptionFieldProps>> = {
  text: TextField,
  lines: LinesField,
  texts: TextsField,
  number: NumberField,
  switch: SwitchField,
  choice: ChoiceField,
  choices: ChoicesField,
  duration: DurationField,
  time_window: TimeWindowField,
  zones: ZonesField,
  masks: MasksField,
  rules: RulesField,
};

export function fieldOf(kind: string): ComponentType<OptionFieldProps> {
  return Object.hasOwn(FIELD_KINDS, kind) ? (FIELD_KINDS[kind] as ComponentType<OptionFieldProps>) : JsonField;
}
