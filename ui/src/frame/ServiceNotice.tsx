// A notice in the header while the service is degraded, down or unreachable.
import { IconAlertTriangle, IconPlugConnectedX } from '@tabler/icons-react';
import { Link } from 'react-router';
import { useHealth } from '../health/useHealth';
import classes from './ServiceNotice.module.css';

export function ServiceNotice() {
  const { data, isError } = useHealth();
  const isAway = isError || (data !== undefined && data.status !== 'ok');
  // The live region is there before its text, so that it is announced.
  return <span role="status">{isAway && <NoticeLink status={isError ? 'unreachable' : data?.status} />}</span>;
}

function NoticeLink({ status }: { status: 'unreachable' | 'down' | 'degraded' | 'ok' | undefined }) {
  const isUnreachable = status === 'unreachable';
  const isDown = isUnreachable || status === 'down';
  const text = isUnreachable ? 'Server unreachable' : isDown ? 'Service down' : 'Service degraded';
  const Icon = isUnreachable ? IconPlugConnectedX : IconAlertTriangle;
  return (
    <Link
      to="/health"
      className={`${classes.notice} ${isDown ? classes.down : classes.degraded} target`}
      aria-label={text}
    >
      <Icon size={15} stroke={2} aria-hidden />
      <span className={classes.text}>{text}</span>
    </Link>
  );
}
