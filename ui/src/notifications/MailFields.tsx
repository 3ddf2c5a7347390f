// The fields of a mail server.
import { Group, NumberInput, Select, SimpleGrid, TagsInput, TextInput } from '@mantine/core';
import type { UseFormReturnType } from '@mantine/form';
import type { ChannelValues } from './channelValues';
import { SecretField } from './SecretField';

const ENCRYPTIONS = [
  { value: 'starttls', label: 'STARTTLS' },
  { value: 'tls', label: 'TLS' },
  { value: 'none', label: 'None' },
];
const PORTS = { starttls: '587', tls: '465', none: '25' };

export function MailFields({ form }: { form: UseFormReturnType<ChannelValues> }) {
  const { encryption, password } = form.values;
  return (
    <>
      <Group gap="sm" align="flex-start" wrap="nowrap">
        <TextInput label="Mail server" placeholder="mail.example.org" flex={1} {...form.getInputProps('host')} />
        <NumberInput
          label="Port"
          placeholder={PORTS[encryption]}
          w={100}
          min={1}
          max={65_535}
          hideControls
          {...form.getInputProps('port')}
        />
      </Group>
      <Select label="Encryption" data={ENCRYPTIONS} allowDeselect={false} {...form.getInputProps('encryption')} />
      <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm">
        <TextInput label="User" autoComplete="off" {...form.getInputProps('username')} />
        <SecretField
          label="Password"
          value={password}
          error={form.errors.password}
          onChange={(value) => form.setFieldValue('password', value)}
        />
      </SimpleGrid>
      <TextInput label="Sender" placeholder="cameras@example.org" {...form.getInputProps('sender')} />
      <TagsInput
        label="Recipients"
        placeholder={form.values.recipients.length ? undefined : 'guard@example.org'}
        maxTags={20}
        splitChars={[',', ';', ' ']}
        acceptValueOnBlur
        {...form.getInputProps('recipients')}
      />
    </>
  );
}
