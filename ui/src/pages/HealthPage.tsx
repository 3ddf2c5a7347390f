// The health of the service by component, with remedies, storage and plugins.
import { SimpleGrid, Skeleton, Stack, Text } from '@mantine/core';
import { Failure } from '../widgets/Failure';
import { HealthBadge } from '../health/HealthBadge';
import { HealthCard } from '../health/HealthCard';
import { PageHeader } from '../widgets/PageHeader';
import { PluginPanels } from '../panels/PluginPanels';
import { PluginTable } from '../health/PluginTable';
import { StoragePanel } from '../recordings/StoragePanel';
import { useHealth } from '../health/useHealth';

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
          <Failure title="The health of the service could not be loaded" error={error} onRetry={() => void refetch()} />
        )}
        <SimpleGrid cols={{ base: 1, sm: 2, lg: 3 }} spacing="md" style={{ alignItems: 'start' }}>
          {!data &&
            !error &&
            Array.from({ length: 6 }, (_, index) => <Skeleton key={index} height={150} radius="md" />)}
          {components.map(([name, component]) => (
            <HealthCard key={name} name={name} component={component} />
          ))}
        </SimpleGrid>
        {/* Below the components, whose number is not known before: nothing moves when these arrive. */}
        {(data ?? error) && (
          <>
            <StoragePanel />
            <PluginTable />
            <PluginPanels place="system" />
          </>
        )}
      </Stack>
    </>
  );
}
