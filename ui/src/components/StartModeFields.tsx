// When a camera's stream runs.
import { NumberInput, Radio, Stack } from '@mantine/core';
import type { DeviceFormState } from './DeviceForm';

const MODES = [
  { value: 'always', label: 'Always', description: 'Runs from now on and comes back by itself after every loss.' },
  { value: 'on_demand', label: 'When watched', description: 'Starts when the first viewer comes, stops some time after the last has gone.' },
  { value: 'manual', label: 'By hand', description: 'Runs only between Start and Stop.' },
];

export function StartModeFields({ form }: { form: DeviceFormState }) {
  return (
    <Stack gap="sm">
      <Radio.Group aria-label="When it runs" {...form.getInputProps('start_mode')}>
        <Stack gap="sm">
          {MODES.map((mode) => (
            <Radio key={mode.value} {...mode} />
          ))}
        </Stack>
      </Radio.Group>
      {form.values.start_mode === 'on_demand' && (
        <NumberInput
          label="Stop after"
          description="Seconds without a viewer"
          suffix=" s"
          min={1}
          max={86_400}
          allowDecimal={false}
          allowNegative={false}
          maw={180}
          ml={32}
          {...form.getInputProps('idle_seconds')}
        />
      )}
    </Stack>
  );
}
