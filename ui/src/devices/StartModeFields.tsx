// The form fields for a camera's start mode.
import { NumberInput, Radio, Stack } from '@mantine/core';
import { Fragment } from 'react';
import type { DeviceFormState } from './deviceValues';

const MODES = [
  { value: 'always', label: 'Always', description: 'Runs permanently and reconnects automatically.' },
  {
    value: 'on_demand',
    label: 'On demand',
    description: 'Starts with the first viewer and stops some time after the last viewer has left.',
  },
  { value: 'manual', label: 'Manual', description: 'Runs only after Start until Stop.' },
];

export function StartModeFields({ form }: { form: DeviceFormState }) {
  return (
    <Radio.Group aria-label="Start mode" {...form.getInputProps('start_mode')}>
      <Stack gap="sm">
        {MODES.map((mode) => (
          <Fragment key={mode.value}>
            <Radio {...mode} />
            {mode.value === 'on_demand' && form.values.start_mode === 'on_demand' && (
              <NumberInput
                label="Stop after seconds without a viewer"
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
