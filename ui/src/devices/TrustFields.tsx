// The form fields for the trust in the certificate of an encrypted (rtsps, https) camera.
import { Input, SegmentedControl, Stack, TextInput } from '@mantine/core';
import type { TlsTrust } from '../api/types';
import { isEncrypted, type DeviceFormState } from './deviceValues';

const MEANINGS: Record<TlsTrust, string> = {
  verify: 'A known authority has signed the certificate for this address. Most cameras sign theirs themselves.',
  pinned: 'This one certificate, by its fingerprint. A test of the address shows it.',
  any: 'Every certificate: somebody in the network could pretend to be the camera and get the password.',
};

export function TrustFields({ form }: { form: DeviceFormState }) {
  if (!isEncrypted(form.values)) return null;
  const trust = form.values.tls_trust;
  return (
    <Stack gap="xs">
      <Input.Wrapper label="Trusted certificate" labelElement="div" description={MEANINGS[trust]}>
        <SegmentedControl
          mt={6}
          aria-label="Trusted certificate"
          data={[
            { value: 'verify', label: 'Signed' },
            { value: 'pinned', label: 'Only this one' },
            { value: 'any', label: 'Any' },
          ]}
          {...form.getInputProps('tls_trust')}
        />
      </Input.Wrapper>
      {trust === 'pinned' && (
        <TextInput
          label="SHA-256 fingerprint"
          required
          withAsterisk
          autoComplete="off"
          spellCheck={false}
          styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)', fontSize: '0.8125rem' } }}
          {...form.getInputProps('tls_fingerprint')}
        />
      )}
    </Stack>
  );
}
