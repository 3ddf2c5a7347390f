// A search field that reports its text shortly after the last keystroke, and follows `q` when it changes elsewhere.
import { CloseButton, TextInput } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { IconSearch } from '@tabler/icons-react';
import { useState } from 'react';

interface SearchFieldProps {
  label: string;
  placeholder: string;
  /** The present search text. */
  q: string;
  onSearch: (q: string) => void;
  className?: string | undefined;
}

const SETTLED_MS = 250;

export function SearchField({ label, placeholder, q, onSearch, className }: SearchFieldProps) {
  const [text, setText] = useState(q);
  const [seen, setSeen] = useState(q);
  const search = useDebouncedCallback(onSearch, SETTLED_MS);
  if (seen !== q) {
    // Browser history, or all filters cleared.
    setSeen(q);
    if (text.trim() !== q) setText(q);
  }
  const type = (value: string) => {
    setText(value);
    search(value.trim());
  };
  return (
    <TextInput
      className={className ?? ''}
      type="search"
      aria-label={label}
      placeholder={placeholder}
      leftSection={<IconSearch size={16} stroke={1.7} />}
      rightSection={text ? <CloseButton size="sm" aria-label="Clear search" onClick={() => type('')} /> : null}
      value={text}
      onChange={(event) => type(event.currentTarget.value)}
    />
  );
}
