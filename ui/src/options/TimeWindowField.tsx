// An option that is a part of each day: from and to, also over midnight.
import { Group, Input, Switch, TextInput } from '@mantine/core';
import { acceptsNull, inputProps, type OptionFieldProps } from './fieldProps';

interface TimeWindow {
  from: string;
  to: string;
}

const FIRST: TimeWindow = { from: '22:00', to: '06:00' };

function windowOf(value: unknown): TimeWindow | null {
  const { from, to } = (value ?? {}) as Partial<TimeWindow>;
  return typeof from === 'string' && typeof to === 'string' ? { from, to } : null;
}

export function TimeWindowField(props: OptionFieldProps) {
  const { schema, value, onChange } = props;
  const window = windowOf(value);
  const { label, description, error } = inputProps(props);
  const part = (name: 'from' | 'to') => (
    <TextInput
      type="time"
      w={130}
      aria-label={`${label}, ${name}`}
      data-path={name === 'from' ? props.name : undefined}
      // The field of a browser knows no 24:00.
      value={window?.[name] === '24:00' ? '00:00' : (window?.[name] ?? '')}
      onChange={(event) => {
        const text = event.currentTarget.value.slice(0, 5);
        if (text) onChange({ ...(window ?? FIRST), [name]: name === 'to' && text === '00:00' ? '24:00' : text });
      }}
    />
  );
  return (
    <Input.Wrapper label={label} description={description} error={error} labelElement="div">
      <Group gap="xs" mt={4} role="group" aria-label={label}>
        {acceptsNull(schema) && (
          <Switch
            label="Limited"
            checked={window !== null}
            onChange={(event) => onChange(event.currentTarget.checked ? FIRST : null)}
          />
        )}
        {(window !== null || !acceptsNull(schema)) && (
          <>
            {part('from')}
            <span>to</span>
            {part('to')}
          </>
        )}
      </Group>
    </Input.Wrapper>
  );
}
