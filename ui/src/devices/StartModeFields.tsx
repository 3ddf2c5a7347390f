// When a camera's stream runs.
import { NumberInput, Radio, Stack } from '@mantine/core';
import { Fragment } from 'react';
import type { DeviceFormState } from './deviceValues';

const MODES = [
  { value: 'always', label: 'Always', description: 'Runs from now on and comes back by itself after every loss.' },
  {
    value: 'on_demand',
    label: 'When watched',
    description: 'Starts when the first viewer comes, stops some time after the last has gone.',
  },
  { value: 'manual', label: 'By hand', description: 'Runs only between Start and Stop.' },
];

export function StartModeFields({ form }: { form: DeviceFormState }) {
  return (
    <Radio.Group aria-label="When it runs" {...form.getInputProps('start_mode')}>
      <Stack gap="sm">
        {MODES.map((mode) => (
          <Fragment key={mode.value}>
            <Radio {...mode} />
            {mode.value === 'on_demand' && form.values.start_mode === 'on_demand' && (
              <NumberInput
                label="Seconds without a viewer before it stops"
                suffix=" s"
                min={5}
                max={86_400}
                allowDecimal={false}
                allowNegative={false}
                clampBehavior="none"
                maw={300}
                ml={32}
                {...form.getInputProps('idle_seconds')}
              />
            )}
          </Fragment>
        ))}
      </Stack>
    </Radio.Group>
  );
}
