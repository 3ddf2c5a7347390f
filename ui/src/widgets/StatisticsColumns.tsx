// Names with their values, arranged horizontally.
import type { ReactNode } from 'react';
import classes from './StatisticsColumns.module.css';

export function StatisticsColumns({
  rows,
  className = '',
}: {
  rows: [string, ReactNode][];
  className?: string | undefined;
}) {
  return (
    <dl className={`${classes.columns} ${className}`}>
      {rows.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
