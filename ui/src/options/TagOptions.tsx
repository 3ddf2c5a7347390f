// The tags that have options of their own in a plugin, on the page of its options for all cameras.
import { Anchor, Autocomplete, Button, Group, Text } from '@mantine/core';
import { useState } from 'react';
import { Link, useNavigate } from 'react-router';
import { Panel } from '../widgets/Panel';
import { useKnownTags } from '../widgets/useKnownTags';

export function TagOptions({ plugin, tags }: { plugin: string; tags: string[] }) {
  const navigate = useNavigate();
  const known = useKnownTags();
  const [tag, setTag] = useState('');
  const addressOf = (name: string) => `/plugins/${encodeURIComponent(plugin)}/tags/${encodeURIComponent(name)}`;
  return (
    <Panel title="Options by tag">
      <Text size="sm" c="dimmed" mb="xs">
        Cameras with a tag use its options in place of those for all cameras. If several tags of a camera set an option,
        the first in alphabetical order counts.
      </Text>
      <Group gap="xs" mb={tags.length > 0 ? 'sm' : 0}>
        {tags.map((name) => (
          <Anchor key={name} component={Link} to={addressOf(name)} size="sm" className="target">
            {name}
          </Anchor>
        ))}
      </Group>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (tag.trim()) void navigate(addressOf(tag.trim()));
        }}
      >
        <Group gap="xs" align="flex-end">
          <Autocomplete
            label="Tag"
            w={220}
            maxLength={50}
            data={known.filter((name) => !tags.includes(name))}
            value={tag}
            onChange={setTag}
          />
          <Button type="submit" variant="default" disabled={!tag.trim()}>
            Set options
          </Button>
        </Group>
      </form>
    </Panel>
  );
}
