// An option that is a time span: a number and its unit.
import { Group, Input, NumberInput, Select } from '@mantine/core';
import { useState } from 'react';
import { UNITS, unitOf } from './durationUnits';
import { acceptsNull, inputProps, type OptionFieldProps } from './fieldProps';

export function DurationField(props: OptionFieldProps) {
  const { value, schema, onChange, onInvalid } = props;
  const seconds = typeof value === 'number' ? value : null;
  const [chosen, setChosen] = useState(() => unitOf(seconds ?? 0));
  // Another value, such as an inherited one, may need a smaller unit.
  const unit = seconds !== null && seconds % chosen !== 0 ? unitOf(seconds) : chosen;
  const { label, description, error } = inputProps(props);
  return (
    <Input.Wrapper label={label} description={description} error={error} labelElement="div">
      <Group gap="xs" wrap="nowrap" mt={4} role="group" aria-label={label}>
        <NumberInput
          w={120}
          aria-label={label}
          data-path={props.name}
          allowDecimal={false}
          allowNegative={false}
          clampBehavior="none"
          value={seconds === null ? '' : seconds / unit}
          onChange={(count) => {
            if (typeof count === 'number') {
              onInvalid(null);
              onChange(count * unit);
            } else if (count === '' && acceptsNull(schema)) onChange(null);
            else onInvalid('Enter a number, or reset the option');
          }}
        />
        <Select
          w={130}
          aria-label={`Unit of ${label}`}
          data={UNITS}
          value={String(unit)}
          allowDeselect={false}
          onChange={(next) => {
            const length = Number(next ?? 1);
            setChosen(length);
            if (seconds !== null) onChange((seconds / unit) * length);
          }}
        />
      </Group>
    </Input.Wrapper>
  );
}
