// One option in a form: its field, where its value comes from, and the button that gives up the own value.
import { Button } from '@mantine/core';
import type { ReactNode } from 'react';
import classes from './OptionsForm.module.css';

interface OptionRowProps {
  title: string;
  isOwn: boolean;
  /** Where the inherited value comes from. */
  origin: string;
  /** Without it there is no button: a secret has buttons of its own. */
  onReset: (() => void) | undefined;
  children: ReactNode;
}

export function OptionRow({ title, isOwn, origin, onReset, children }: OptionRowProps) {
  return (
    <div className={classes.field} data-testid="option">
      <div>{children}</div>
      <div className={classes.origin}>
        <span className={isOwn ? classes.own : undefined}>{isOwn ? 'Set here' : origin}</span>
        {isOwn && onReset && (
          <Button size="compact-xs" variant="subtle" aria-label={`Reset ${title}`} onClick={onReset}>
            Reset
          </Button>
        )}
      </div>
    </div>
  );
}
