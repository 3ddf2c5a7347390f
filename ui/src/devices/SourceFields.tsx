// The form fields for a camera's source: addresses and transport.
import { Input, SegmentedControl, Stack, TextInput } from '@mantine/core';
import type { FocusEvent } from 'react';
import type { DeviceFormState } from './deviceValues';

const HIDDEN_HINT =
  'The password is stored encrypted and shown as ***. Leave the address unchanged to keep the password; enter the password again when you change the address.';
const NEW_HINT =
  'Include user and password in the address: rtsp://user:password@host/path. They are stored encrypted and not shown again.';

const MONO = { input: { fontFamily: 'var(--mantine-font-family-monospace)', fontSize: '0.8125rem' } };

export function SourceFields({ form, hasCredentials }: { form: DeviceFormState; hasCredentials: boolean }) {
  const isHidden = hasCredentials || form.values.source_url.includes('***');
  /** Validates when the focus moves to another field. Not when it moves to a button: the message would move the button away from the pointer. */
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
        description="Optional. A smaller H.264 stream of the same camera, used for live view when the main stream would need re-encoding."
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
        label="Transport"
        labelElement="div"
        description="TCP is reliable. Use UDP only for cameras that do not support TCP, on a network without packet loss."
      >
        <SegmentedControl
          mt={6}
          aria-label="Transport"
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
