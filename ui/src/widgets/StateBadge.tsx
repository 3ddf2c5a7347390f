// A stream's state as icon, label and colour.
import type { ObservedState } from '../api/types';
import { DISABLED_STYLE, STATE_STYLES } from './stateStyles';
import classes from './StateBadge.module.css';

export function StateBadge({ state, isEnabled = true }: { state: ObservedState; isEnabled?: boolean }) {
  const isDisabled = !isEnabled && state === 'stopped';
  const { label, tone, Icon } = isDisabled ? DISABLED_STYLE : STATE_STYLES[state];
  return (
    <span className={`${classes.badge} ${classes[tone]}`} data-state={state}>
      <Icon size={15} stroke={2} aria-hidden />
      {label}
    </span>
  );
}
