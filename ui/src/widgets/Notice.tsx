// A notice whose icon, text and colour together show its tone.
import { IconAlertTriangle, IconCircleCheck, IconExclamationCircle, IconInfoCircle } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import type { Tone } from './stateStyles';
import tones from './StateBadge.module.css';
import classes from './Notice.module.css';

const ICONS: Record<Tone, typeof IconInfoCircle> = {
  good: IconCircleCheck,
  busy: IconInfoCircle,
  warn: IconAlertTriangle,
  bad: IconExclamationCircle,
  still: IconInfoCircle,
};

interface NoticeProps {
  tone: Tone;
  title?: string;
  children?: ReactNode;
  role?: 'alert' | 'status';
}

export function Notice({ tone, title, children, role }: NoticeProps) {
  const Icon = ICONS[tone];
  return (
    <div className={`${classes.notice} ${tones[tone]}`} role={role}>
      <Icon size={19} stroke={1.8} className={classes.icon} aria-hidden />
      <div>
        {title && <div className={classes.title}>{title}</div>}
        {children}
      </div>
    </div>
  );
}
