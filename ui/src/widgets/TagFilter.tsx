// Filters by one tag. The selected tag stays among the choices even if no item has it any longer.
import { Select } from '@mantine/core';
import { IconTag } from '@tabler/icons-react';

interface TagFilterProps {
  tags: string[];
  tag: string;
  onChange: (tag: string) => void;
}

export function TagFilter({ tags, tag, onChange }: TagFilterProps) {
  return (
    <Select
      aria-label="Filter by tag"
      placeholder="Any tag"
      leftSection={<IconTag size={16} stroke={1.7} />}
      data={tag && !tags.includes(tag) ? [tag, ...tags] : tags}
      value={tag || null}
      onChange={(next) => onChange(next ?? '')}
      clearable
      searchable
      nothingFoundMessage="No matching tag"
    />
  );
}
