// An option that is a number, with its unit and limits.
import { NumberInput } from '@mantine/core';
import { sentence } from '../formatting/sentence';
import { acceptsNull, inputProps, type OptionFieldProps } from './fieldProps';

/** Limits that the server has only so that there is one are not shown. */
const UNLIMITED = 2 ** 53 - 1;

export function limitsOf({ minimum, maximum }: { minimum?: number; maximum?: number }): string {
  const low = minimum === undefined || minimum <= -UNLIMITED ? null : minimum;
  const high = maximum === undefined || maximum >= UNLIMITED ? null : maximum;
  if (low !== null && high !== null) return `${low} to ${high}`;
  if (low !== null) return `at least ${low}`;
  return high !== null ? `at most ${high}` : '';
}

export function NumberField(props: OptionFieldProps) {
  const { schema, value, onChange } = props;
  const unit = schema['x-unit'];
  const limits = limitsOf(schema);
  const common = inputProps(props);
  const isWhole = [schema.type].flat().includes('integer');
  return (
    <NumberInput
      {...common}
      description={[common.description, limits && sentence(`${limits}${unit ? ` ${unit}` : ''}`)]
        .filter(Boolean)
        .join(' ')}
      suffix={unit ? ` ${unit}` : undefined}
      maw={260}
      allowDecimal={!isWhole}
      clampBehavior="none"
      value={typeof value === 'number' ? value : ''}
      onChange={(next) => {
        if (typeof next === 'number') {
          props.onInvalid(null);
          onChange(next);
        } else if (next === '' && acceptsNull(schema)) onChange(null);
        else props.onInvalid('Enter a number, or reset the option');
      }}
    />
  );
}
