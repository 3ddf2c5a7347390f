// One component's health: status, response time, reason and remedy.
import { Text } from '@mantine/core';
import type { HealthComponent } from '../api/types';
import { StatisticsList } from '../widgets/StatisticsList';
import { formatMs } from '../formatting/statistics';
import { HealthBadge } from './HealthBadge';
import { componentName, detailRows } from './healthFormatting';
import { Panel } from '../widgets/Panel';
import { sentence } from '../formatting/sentence';

export function HealthCard({ name, component }: { name: string; component: HealthComponent }) {
  const details = detailRows(component.detail ?? {});
  return (
    <Panel title={componentName(name)} end={<HealthBadge status={component.status} />}>
      {component.reason && (
        <Text size="sm" mb={4} style={{ overflowWrap: 'anywhere' }}>
          {sentence(component.reason)}
        </Text>
      )}
      {component.remedy && (
        <Text size="sm" mb="sm" style={{ overflowWrap: 'anywhere' }}>
          <strong>Remedy:</strong> {sentence(component.remedy)}
        </Text>
      )}
      <StatisticsList
        rows={component.latency_ms === null ? details : [['Response time', formatMs(component.latency_ms)], ...details]}
      />
    </Panel>
  );
}
