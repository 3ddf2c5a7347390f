// The placeholder for an empty list: what the list shows, and a link to the first step.
import { Button, Stack, Text, Title } from '@mantine/core';
import type { IconMovie } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { Link } from 'react-router';

interface EmptyStateProps {
  Icon: typeof IconMovie;
  title: string;
  children: ReactNode;
  action: { to: string; label: string };
}

export function EmptyState({ Icon, title, children, action }: EmptyStateProps) {
  return (
    <Stack className="surface" align="center" ta="center" gap="sm" px="lg" py={72}>
      <Icon size={52} stroke={1.2} color="var(--mantine-primary-color-filled)" aria-hidden />
      <Title order={2} fz="xl">
        {title}
      </Title>
      <Text c="dimmed" maw={480}>
        {children}
      </Text>
      <Button component={Link} to={action.to} size="md" mt="sm">
        {action.label}
      </Button>
    </Stack>
  );
}
