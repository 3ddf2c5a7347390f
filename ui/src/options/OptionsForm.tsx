// The form of a plugin's options at one place, built from their schema. What is not set here shows its inherited value.
import { Button, Group, Stack } from '@mantine/core';
import { useState, type ReactNode } from 'react';
import { ApiError } from '../api/http';
import type { OptionValues, PluginOptions } from '../api/pluginOptions';
import { sentence } from '../formatting/sentence';
import { Failure } from '../widgets/Failure';
import { Notice } from '../widgets/Notice';
import { Panel } from '../widgets/Panel';
import { useUnsavedGuard } from '../widgets/useUnsavedGuard';
import { fieldOf } from './fieldKinds';
import { formatOrigin } from './optionTexts';
import { OptionRow } from './OptionRow';
import { SecretField } from './SecretField';

interface OptionsFormProps {
  options: PluginOptions;
  notice?: ReactNode;
  onSubmit: (values: OptionValues) => Promise<void>;
  onCancel: () => void;
}

const ERROR_PREFIX = 'values.';

function without<T>(record: Record<string, T>, name: string): Record<string, T> {
  return Object.fromEntries(Object.entries(record).filter(([key]) => key !== name));
}

export function OptionsForm({ options, notice, onSubmit, onCancel }: OptionsFormProps) {
  const [values, setValues] = useState<OptionValues>(options.values);
  const [secrets, setSecrets] = useState<Record<string, string | null>>({});
  const [errors, setErrors] = useState<Record<string, string>>({});
  const [failure, setFailure] = useState<Error | null>(null);
  const [isSending, setSending] = useState(false);
  const isDirty =
    Object.keys(secrets).length > 0 ||
    Object.keys(errors).length > 0 ||
    JSON.stringify(values) !== JSON.stringify(options.values);
  const letPass = useUnsavedGuard(isDirty);

  const setError = (name: string, message: string | null) =>
    setErrors((before) => (message === null ? without(before, name) : { ...before, [name]: message }));
  const setValue = (name: string, value: unknown) => {
    setError(name, null);
    setValues((before) => ({ ...before, [name]: value }));
  };
  const reset = (name: string) => {
    setError(name, null);
    setValues((before) => without(before, name));
  };
  const setSecret = (name: string, value: string | null | undefined) => {
    setError(name, null);
    setSecrets((before) => (value === undefined ? without(before, name) : { ...before, [name]: value }));
  };
  const focusOn = (name: string | undefined) =>
    document.querySelector<HTMLElement>(`[data-path="${CSS.escape(name ?? '')}"]`)?.focus();

  const place = (error: ApiError): Error | null => {
    const placed = Object.fromEntries(
      Object.entries(error.errors)
        // An error within a list is shown at the list.
        .map(([key, text]) => [key.startsWith(ERROR_PREFIX) ? (key.split('.')[1] ?? '') : '', text] as const)
        .filter(([name]) => name in options.schema.properties)
        .map(([name, text]) => [name, sentence(text.replace(/^'[\w-]+' /, ''))]),
    );
    if (Object.keys(placed).length === 0) return error;
    setErrors(placed);
    focusOn(Object.keys(placed)[0]);
    return null;
  };
  const send = async () => {
    if (Object.keys(errors).length > 0) {
      focusOn(Object.keys(errors)[0]);
      return;
    }
    setFailure(null);
    setSending(true);
    letPass(true);
    try {
      // Stored values that the schema no longer has are left out: the server would refuse them.
      const known = Object.entries(values).filter(([name]) => name in options.schema.properties);
      await onSubmit({ ...Object.fromEntries(known), ...secrets });
    } catch (error) {
      setFailure(error instanceof ApiError ? place(error) : (error as Error));
    } finally {
      letPass(false);
      setSending(false);
    }
  };

  const shownValues = { ...options.inherited, ...values };
  const fields = Object.entries(options.schema.properties).sort(([, a], [, b]) => a['x-order'] - b['x-order']);
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <Stack gap="md">
        {notice}
        {options.problems.map((problem, index) => (
          <Notice key={index} tone="warn" title="A stored value is not used">
            {sentence(problem.message)} Save the options to correct it.
          </Notice>
        ))}
        <Panel title="Options">
          {fields.map(([name, schema]) => {
            const isSecret = schema['x-kind'] === 'secret';
            const isOwn = isSecret ? (options.secrets[name] ?? false) || name in secrets : name in values;
            const Field = fieldOf(schema['x-kind']);
            return (
              <OptionRow
                key={name}
                title={schema.title}
                isOwn={isOwn && secrets[name] !== null}
                origin={formatOrigin(options.inherited_origins[name])}
                onReset={isSecret ? undefined : () => reset(name)}
              >
                {isSecret ? (
                  <SecretField
                    name={name}
                    schema={schema}
                    isStored={options.secrets[name] ?? false}
                    value={secrets[name]}
                    error={errors[name]}
                    onChange={(value) => setSecret(name, value)}
                  />
                ) : (
                  <Field
                    name={name}
                    schema={schema}
                    value={shownValues[name]}
                    values={shownValues}
                    error={errors[name]}
                    deviceId={options.device_id ?? undefined}
                    onChange={(value) => setValue(name, value)}
                    onInvalid={(message) => setError(name, message)}
                  />
                )}
              </OptionRow>
            );
          })}
        </Panel>
        {failure && <Failure title="The options were not saved" error={failure} />}
        <Group>
          <Button type="submit" loading={isSending}>
            Save
          </Button>
          <Button variant="default" onClick={onCancel}>
            Cancel
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
