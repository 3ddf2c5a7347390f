// The placeholder for a list in which no item matches the filters.
import { Button, Stack, Text } from '@mantine/core';
import { IconFilterOff } from '@tabler/icons-react';

export function NoMatches({ noun = 'camera', onClear }: { noun?: string; onClear: () => void }) {
  return (
    <Stack className="surface" align="center" gap="xs" px="lg" py={56}>
      <IconFilterOff size={30} stroke={1.4} aria-hidden />
      <Text fw={600}>No {noun} matches these filters</Text>
      <Button variant="default" onClick={onClear}>
        Show all {noun}s
      </Button>
    </Stack>
  );
}
