// An option that is on or off.
import { Switch } from '@mantine/core';
import { inputProps, type OptionFieldProps } from './fieldProps';

export function SwitchField(props: OptionFieldProps) {
  return (
    <Switch
      {...inputProps(props)}
      checked={props.value === true}
      onChange={(event) => props.onChange(event.currentTarget.checked)}
    />
  );
}
