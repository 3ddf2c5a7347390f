// Where a camera's video comes from.
import { Input, SegmentedControl, Stack, TextInput } from '@mantine/core';
import type { FocusEvent } from 'react';
import type { DeviceFormState } from './deviceValues';

const HIDDEN_HINT =
  'The password is stored encrypted and never shown again: *** stands for it. Leave the address as it is to keep it; to change the address, type the password again.';
const NEW_HINT =
  'User and password go into the address: rtsp://user:password@host/path. They are stored encrypted and never shown again.';

const MONO = { input: { fontFamily: 'var(--mantine-font-family-monospace)', fontSize: '0.8125rem' } };

export function SourceFields({ form, hasCredentials }: { form: DeviceFormState; hasCredentials: boolean }) {
  const isHidden = hasCredentials || form.values.source_url.includes('***');
  /** Checked when the next field is gone to; on the way to a button, a message would push that button from under the pointer. */
  const checkOnLeaving = (field: 'source_url' | 'sub_source_url') => (event: FocusEvent<HTMLInputElement>) => {
    const isToField = event.relatedTarget instanceof HTMLElement && event.relatedTarget.matches('input, textarea');
    if (isToField && event.currentTarget.value && !form.errors[field]) form.validateField(field);
  };
  return (
    <Stack gap="md">
      <TextInput
        label="RTSP address"
        description={isHidden ? HIDDEN_HINT : NEW_HINT}
        required
        withAsterisk
        placeholder="rtsp://user:password@192.168.1.64/stream1"
        autoComplete="off"
        autoCapitalize="off"
        spellCheck={false}
        inputMode="url"
        styles={MONO}
        {...form.getInputProps('source_url')}
        onBlur={checkOnLeaving('source_url')}
      />
      <TextInput
        label="Sub-stream address"
        description="Optional. A smaller H.264 stream of the same camera: used for live view where the main one would have to be re-encoded."
        placeholder="rtsp://user:password@192.168.1.64/stream2"
        autoComplete="off"
        autoCapitalize="off"
        spellCheck={false}
        inputMode="url"
        styles={MONO}
        {...form.getInputProps('sub_source_url')}
        onBlur={checkOnLeaving('sub_source_url')}
      />
      <Input.Wrapper
        label="Carried by"
        labelElement="div"
        description="TCP arrives whole; UDP is for cameras that speak nothing else, on a clean network."
      >
        <SegmentedControl
          mt={6}
          aria-label="Carried by"
          data={[
            { value: 'tcp', label: 'TCP' },
            { value: 'udp', label: 'UDP' },
          ]}
          {...form.getInputProps('transport')}
        />
      </Input.Wrapper>
    </Stack>
  );
}
