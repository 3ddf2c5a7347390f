// A component's health as icon, label and colour.
import { IconAlertTriangle, IconCircleCheck, IconCircleX } from '@tabler/icons-react';
import type { HealthStatus } from '../api/types';
import classes from '../widgets/StateBadge.module.css';

const STYLES = {
  ok: { label: 'Healthy', tone: classes.good, Icon: IconCircleCheck },
  degraded: { label: 'Degraded', tone: classes.warn, Icon: IconAlertTriangle },
  down: { label: 'Down', tone: classes.bad, Icon: IconCircleX },
};

export function HealthBadge({ status }: { status: HealthStatus }) {
  const { label, tone, Icon } = STYLES[status];
  return (
    <span className={`${classes.badge} ${tone}`} data-status={status}>
      <Icon size={15} stroke={2} aria-hidden />
      {label}
    </span>
  );
}
