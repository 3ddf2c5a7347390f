// The form fields for a camera's source: addresses and transport.
import { Checkbox, Input, PasswordInput, SegmentedControl, SimpleGrid, Stack, TextInput } from '@mantine/core';
import type { FocusEvent } from 'react';
import { isHidden, type DeviceFormState } from './deviceValues';
import { splitSource } from './sourceAddress';
import { TrustFields } from './TrustFields';

const MONO = { input: { fontFamily: 'var(--mantine-font-family-monospace)', fontSize: '0.8125rem' } };

export function SourceFields({ form }: { form: DeviceFormState }) {
  const isKept = isHidden(form.values);
  const { isOpen } = form.values;
  /** Moves a user and password that were typed or pasted with the address into their fields. */
  const takeApart = () => {
    const { address, user, password } = splitSource(form.getValues().source_url);
    if (user || password) form.setValues({ source_url: address, user, password, isOpen: false });
  };
  /** Validates when the focus moves to another field. Not when it moves to a button: the message would move the button away from the pointer. */
  const checkOnLeaving = (field: 'source_url' | 'sub_source_url') => (event: FocusEvent<HTMLInputElement>) => {
    if (field === 'source_url') takeApart();
    const isToField = event.relatedTarget instanceof HTMLElement && event.relatedTarget.matches('input, textarea');
    if (isToField && event.currentTarget.value && !form.errors[field]) form.validateField(field);
  };
  const secret = isKept && !isOpen ? 'unchanged' : undefined;
  return (
    <Stack gap="md">
      <TextInput
        label="RTSP address"
        description="The address from the camera’s manual. User and password have their own fields below."
        required
        withAsterisk
        placeholder="rtsp://192.168.1.64/stream1"
        autoComplete="off"
        autoCapitalize="off"
        spellCheck={false}
        inputMode="url"
        styles={MONO}
        {...form.getInputProps('source_url')}
        onBlur={checkOnLeaving('source_url')}
      />
      <SimpleGrid cols={{ base: 1, xs: 2 }}>
        <TextInput
          label="User"
          placeholder={secret ?? 'admin'}
          autoComplete="off"
          autoCapitalize="off"
          spellCheck={false}
          disabled={isOpen}
          {...form.getInputProps('user')}
        />
        <PasswordInput
          label="Password"
          placeholder={secret}
          autoComplete="new-password"
          disabled={isOpen}
          {...form.getInputProps('password')}
        />
      </SimpleGrid>
      {isKept && (
        <Checkbox
          label="The camera needs no user and password"
          description="Removes the stored ones."
          {...form.getInputProps('isOpen', { type: 'checkbox' })}
        />
      )}
      <TextInput
        label="Sub-stream address"
        description="Optional. A smaller H.264 stream of the same camera, used for live view when the main stream would need re-encoding. It takes the same user and password."
        placeholder="rtsp://192.168.1.64/stream2"
        autoComplete="off"
        autoCapitalize="off"
        spellCheck={false}
        inputMode="url"
        styles={MONO}
        {...form.getInputProps('sub_source_url')}
        onBlur={checkOnLeaving('sub_source_url')}
      />
      <TrustFields form={form} />
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
