// A small mark while changes arrive at once; its place stays empty while the page asks from time to time instead.
import { Tooltip } from '@mantine/core';
import { useIsLive } from '../live/useIsLive';
import classes from './LiveMark.module.css';

export function LiveMark() {
  if (!useIsLive()) return <span className={classes.place} aria-hidden />;
  return (
    <Tooltip label="Live: changes appear at once">
      <span
        className={`${classes.place} ${classes.mark}`}
        role="img"
        aria-label="Live: changes appear at once"
        data-live
      />
    </Tooltip>
  );
}
