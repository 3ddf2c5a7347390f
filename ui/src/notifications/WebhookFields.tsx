// The fields of a webhook.
import { Button, Group, Text, Textarea, TextInput } from '@mantine/core';
import type { UseFormReturnType } from '@mantine/form';
import type { ChannelValues } from './channelValues';

export function WebhookFields({ form }: { form: UseFormReturnType<ChannelValues> }) {
  const { headers } = form.values;
  return (
    <>
      <TextInput
        label="URL"
        description="Requests are signed; the secret is made by the service: “New signing secret” shows one."
        placeholder="https://hooks.example.org/vas"
        inputMode="url"
        {...form.getInputProps('url')}
      />
      {headers === null ? (
        <Group gap="xs">
          <Text size="sm">Headers: set, values not shown</Text>
          <Button size="compact-xs" variant="default" onClick={() => form.setFieldValue('headers', '')}>
            Replace or remove
          </Button>
        </Group>
      ) : (
        <Textarea
          label="Headers of your own"
          description="One in each line, such as Authorization: Bearer …; kept encrypted."
          autosize
          minRows={1}
          maxRows={5}
          {...form.getInputProps('headers')}
        />
      )}
    </>
  );
}
