// The number of cameras in each state, as buttons that filter the list.
import { UnstyledButton } from '@mantine/core';
import type { Stream } from '../api/types';
import { STATE_STYLES, STATE_ORDER } from '../widgets/stateStyles';
import classes from './StateFilter.module.css';

interface StateFilterProps {
  streams: Map<string, Stream> | undefined;
  value: string;
  onChange: (state: string) => void;
}

/** Short-lived states, shown only while a camera is in them. */
const TRANSIENT = new Set(['starting', 'stopping']);

export function StateFilter({ streams, value, onChange }: StateFilterProps) {
  const counts = new Map<string, number>();
  for (const stream of streams?.values() ?? []) counts.set(stream.observed, (counts.get(stream.observed) ?? 0) + 1);
  const shown = STATE_ORDER.filter((state) => !TRANSIENT.has(state) || counts.has(state) || value === state);
  return (
    <div className={classes.row} role="group" aria-label="Filter by state">
      <UnstyledButton className={classes.chip} aria-pressed={value === ''} onClick={() => onChange('')}>
        All <span className={classes.count}>{streams?.size ?? ' '}</span>
      </UnstyledButton>
      {shown.map((state) => {
        const { label, tone, Icon } = STATE_STYLES[state];
        return (
          <UnstyledButton
            key={state}
            className={`${classes.chip} ${classes[tone] ?? ''}`}
            aria-pressed={value === state}
            onClick={() => onChange(value === state ? '' : state)}
          >
            <Icon size={15} stroke={2} aria-hidden />
            {label} <span className={classes.count}>{streams ? (counts.get(state) ?? 0) : ' '}</span>
          </UnstyledButton>
        );
      })}
    </div>
  );
}
