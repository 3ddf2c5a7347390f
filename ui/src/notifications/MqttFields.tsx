// The fields of an MQTT broker.
import { Group, NumberInput, SimpleGrid, Switch, Textarea, TextInput } from '@mantine/core';
import type { UseFormReturnType } from '@mantine/form';
import type { ChannelValues } from './channelValues';
import { SecretField } from './SecretField';

export function MqttFields({ form }: { form: UseFormReturnType<ChannelValues> }) {
  const { tls, discovery, password } = form.values;
  return (
    <>
      <Group gap="sm" align="flex-start" wrap="nowrap">
        <TextInput label="Broker" placeholder="192.168.1.10" flex={1} {...form.getInputProps('host')} />
        <NumberInput
          label="Port"
          placeholder={tls ? '8883' : '1883'}
          w={110}
          min={1}
          max={65_535}
          hideControls
          {...form.getInputProps('port')}
        />
      </Group>
      <Switch label="Encrypted (TLS)" {...form.getInputProps('tls', { type: 'checkbox' })} />
      {tls && (
        <Textarea
          label="Certificate of the authority"
          description="PEM; empty: those that the system trusts."
          autosize
          minRows={2}
          maxRows={6}
          {...form.getInputProps('ca_certificate')}
        />
      )}
      <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm">
        <TextInput label="User" autoComplete="off" {...form.getInputProps('username')} />
        <SecretField
          label="Password"
          value={password}
          error={form.errors.password}
          onChange={(value) => form.setFieldValue('password', value)}
        />
      </SimpleGrid>
      <TextInput label="First levels of all topics" {...form.getInputProps('prefix')} />
      <Switch label="Announce cameras to Home Assistant" {...form.getInputProps('discovery', { type: 'checkbox' })} />
      {discovery && <TextInput label="Home Assistant’s prefix" {...form.getInputProps('discovery_prefix')} />}
      <Switch label="Publish pictures of events" {...form.getInputProps('pictures', { type: 'checkbox' })} />
      <Switch
        label="Obey switches"
        description="Whoever may publish to the broker can then switch recording and detection."
        {...form.getInputProps('commands', { type: 'checkbox' })}
      />
    </>
  );
}
