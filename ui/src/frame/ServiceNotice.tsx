// A notice in the header while the service is degraded, down or unreachable.
import { IconAlertTriangle, IconPlugConnectedX } from '@tabler/icons-react';
import { Link } from 'react-router';
import { useHealth } from '../health/useHealth';
import classes from './ServiceNotice.module.css';

export function ServiceNotice() {
  const { data, isError } = useHealth();
  if (!isError && (!data || data.status === 'ok')) return null;
  const isDown = isError || data?.status === 'down';
  const text = isError ? 'Server unreachable' : isDown ? 'Service down' : 'Service degraded';
  const Icon = isError ? IconPlugConnectedX : IconAlertTriangle;
  return (
    <Link
      to="/health"
      className={`${classes.notice} ${isDown ? classes.down : classes.degraded}`}
      role="status"
      aria-label={text}
    >
      <Icon size={15} stroke={2} aria-hidden />
      <span className={classes.text}>{text}</span>
    </Link>
  );
}
