// Names and values in two columns.
import { Fragment, type ReactNode } from 'react';
import classes from './StatisticsList.module.css';

export function StatisticsList({ rows, isOnDark = false }: { rows: [string, ReactNode][]; isOnDark?: boolean }) {
  return (
    <dl className={`${classes.list} ${isOnDark ? classes.dark : ''}`}>
      {rows.map(([name, value]) => (
        <Fragment key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </Fragment>
      ))}
    </dl>
  );
}
