// How the service is, part by part, and what to do about what is not well.
import { SimpleGrid, Skeleton, Stack, Text } from '@mantine/core';
import { Failure } from '../components/Failure';
import { HealthBadge } from '../components/HealthBadge';
import { HealthCard } from '../components/HealthCard';
import { PageHeader } from '../components/PageHeader';
import { PluginTable } from '../components/PluginTable';
import { StoragePanel } from '../components/StoragePanel';
import { useHealth } from '../hooks/useHealth';

const SEVERITY = { down: 0, degraded: 1, ok: 2 };

export function HealthPage() {
  const { data, error, refetch } = useHealth();
  const components = Object.entries(data?.components ?? {}).sort(
    ([, a], [, b]) => SEVERITY[a.status] - SEVERITY[b.status],
  );
  return (
    <>
      <PageHeader title="Health" beside={data && !error && <HealthBadge status={data.status} />}>
        {data && (
          <Text size="sm" c="dimmed">
            VAS {data.version}
          </Text>
        )}
      </PageHeader>
      <Stack gap="md">
        {error && (
          <Failure title="The service’s health could not be read" error={error} onRetry={() => void refetch()} />
        )}
        <SimpleGrid cols={{ base: 1, sm: 2, lg: 3 }} spacing="md" style={{ alignItems: 'start' }}>
          {!data &&
            !error &&
            Array.from({ length: 6 }, (_, index) => <Skeleton key={index} height={150} radius="md" />)}
          {components.map(([name, component]) => (
            <HealthCard key={name} name={name} component={component} />
          ))}
        </SimpleGrid>
        <StoragePanel />
        <PluginTable />
      </Stack>
    </>
  );
}
