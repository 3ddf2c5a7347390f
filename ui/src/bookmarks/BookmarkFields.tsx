// The fields of a bookmark: title, note, tags, and the length of its clip before and after the moment.
import { NumberInput, SimpleGrid, Stack, TagsInput, Textarea, TextInput, type TextInputProps } from '@mantine/core';
import type { UseFormReturnType } from '@mantine/form';
import type { ReactNode } from 'react';
import { useFullscreenTarget } from '../widgets/useFullscreenTarget';
import { MAX_SECONDS, type BookmarkValues } from './bookmarkValues';

interface BookmarkFieldsProps {
  form: UseFormReturnType<BookmarkValues>;
  knownTags: string[];
  /** Shown below the two lengths. */
  lengthHint?: string;
  /** Shown above the two lengths. */
  children?: ReactNode;
}

export function BookmarkFields({ form, knownTags, lengthHint, children }: BookmarkFieldsProps) {
  const portal = useFullscreenTarget();
  const title = form.getInputProps('title') as TextInputProps;
  const seconds = {
    suffix: ' s',
    min: 0,
    max: MAX_SECONDS,
    decimalScale: 1,
    allowNegative: false,
    clampBehavior: 'none',
  } as const;
  return (
    <Stack gap="sm">
      <TextInput
        label="Title"
        maxLength={200}
        data-autofocus
        {...title}
        onFocus={(event) => {
          title.onFocus?.(event);
          event.currentTarget.select();
        }}
      />
      <Textarea label="Note" maxLength={4000} autosize minRows={2} maxRows={8} {...form.getInputProps('note')} />
      <TagsInput
        label="Tags"
        placeholder={form.values.tags.length ? undefined : 'Type and press Enter'}
        data={knownTags}
        maxTags={20}
        acceptValueOnBlur
        clearable
        comboboxProps={portal ? { portalProps: portal } : {}}
        {...form.getInputProps('tags')}
      />
      {children}
      <SimpleGrid cols={2} spacing="sm">
        <NumberInput label="Seconds before" {...seconds} {...form.getInputProps('before_seconds')} />
        <NumberInput label="Seconds after" {...seconds} {...form.getInputProps('after_seconds')} />
      </SimpleGrid>
      {lengthHint && <div style={{ fontSize: '0.75rem', color: 'var(--vas-ink-soft)' }}>{lengthHint}</div>}
    </Stack>
  );
}
