// The form to add or edit a device, with errors at their fields and a test of the address.
import { Button, Group, SimpleGrid, Stack, Switch, TagsInput, Textarea, TextInput } from '@mantine/core';
import { isNotEmpty, useForm } from '@mantine/form';
import { useState, type ReactNode } from 'react';
import { ApiError } from '../api/http';
import type { DeviceFields } from '../api/types';
import { useKnownTags } from '../widgets/useKnownTags';
import { deviceRules, fieldSentence, fieldsOf, type DeviceFormState, type DeviceValues } from './deviceValues';
import { Failure } from '../widgets/Failure';
import { Panel } from '../widgets/Panel';
import { useUnsavedGuard } from '../widgets/useUnsavedGuard';
import { ProbePanel } from './ProbePanel';
import { SourceFields } from './SourceFields';
import { StartModeFields } from './StartModeFields';
import classes from './DeviceForm.module.css';

interface DeviceFormProps {
  initialValues: DeviceValues;
  deviceId?: string;
  submitLabel: string;
  notice?: ReactNode;
  /** More panels, shown between start mode and details. */
  children?: ReactNode;
  onSubmit: (fields: DeviceFields) => Promise<void>;
  onCancel: () => void;
}

/** Shows the server's errors at the fields they name. Returns the error when it names no field. */
function placeErrors(form: DeviceFormState, error: ApiError): ApiError | null {
  const known = Object.keys(form.getValues());
  const placed: Record<string, string> = {};
  for (const [field, text] of Object.entries(error.errors)) {
    if (known.includes(field)) placed[field] = fieldSentence(text);
  }
  const named = /^'(\w+)'/.exec(error.message)?.[1];
  if (Object.keys(placed).length === 0 && named && known.includes(named)) placed[named] = fieldSentence(error.message);
  if (Object.keys(placed).length === 0) return error;
  form.setErrors(placed);
  const first = document.querySelector<HTMLElement>(`[data-path="${Object.keys(placed)[0]}"]`);
  first?.focus();
  return null;
}

export function DeviceForm({
  initialValues,
  deviceId,
  submitLabel,
  notice,
  children,
  onSubmit,
  onCancel,
}: DeviceFormProps) {
  const knownTags = useKnownTags();
  const [failure, setFailure] = useState<Error | null>(null);
  const [isSending, setSending] = useState(false);
  const form = useForm<DeviceValues>({
    initialValues,
    validate: { ...deviceRules, transport: isNotEmpty() },
  });
  const letPass = useUnsavedGuard(form.isDirty());

  const send = async (values: DeviceValues) => {
    setFailure(null);
    setSending(true);
    letPass(true);
    try {
      await onSubmit(fieldsOf(values));
    } catch (error) {
      setFailure(error instanceof ApiError ? placeErrors(form, error) : (error as Error));
    } finally {
      letPass(false);
      setSending(false);
    }
  };

  return (
    <form
      noValidate
      onSubmit={form.onSubmit(send, (errors) => {
        document.querySelector<HTMLElement>(`[data-path="${Object.keys(errors)[0]}"]`)?.focus();
      })}
    >
      <div className={classes.columns}>
        <Stack gap="md" className={classes.source}>
          {notice}
          <Panel title="Camera">
            <Stack gap="md">
              <TextInput
                label="Name"
                required
                withAsterisk
                placeholder="Loading dock, north"
                {...form.getInputProps('name')}
              />
              <SourceFields form={form} />
            </Stack>
          </Panel>
        </Stack>
        <div className={classes.probe}>
          <ProbePanel form={form} deviceId={deviceId} />
        </div>
        <Stack gap="md" className={classes.rest}>
          <Panel title="Start mode">
            <StartModeFields form={form} />
          </Panel>
          {children}
          <Panel title="Details">
            <Stack gap="md">
              <SimpleGrid cols={{ base: 1, xs: 2 }}>
                <TextInput label="Location" placeholder="Building 2, gate" {...form.getInputProps('location')} />
                <TagsInput
                  label="Tags"
                  placeholder={form.values.tags.length ? undefined : 'Type and press Enter'}
                  data={knownTags}
                  acceptValueOnBlur
                  clearable
                  {...form.getInputProps('tags')}
                />
              </SimpleGrid>
              <Textarea label="Description" autosize minRows={2} maxRows={8} {...form.getInputProps('description')} />
              <Switch
                label="Enabled"
                description="VAS never connects to a disabled camera."
                {...form.getInputProps('enabled', { type: 'checkbox' })}
              />
            </Stack>
          </Panel>
          {failure && <Failure title="The camera was not saved" error={failure} />}
          <Group>
            <Button type="submit" loading={isSending}>
              {submitLabel}
            </Button>
            <Button variant="default" onClick={onCancel}>
              Cancel
            </Button>
          </Group>
        </Stack>
      </div>
    </form>
  );
}
