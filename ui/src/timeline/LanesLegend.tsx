// The legend of the lanes of events, between the buttons that go to the previous and the next event.
import { ActionIcon, Tooltip } from '@mantine/core';
import { IconChevronLeft, IconChevronRight } from '@tabler/icons-react';
import type { TimelineLane } from './lanes';
import colors from './Timeline.module.css';
import classes from './LanesLegend.module.css';

interface LanesLegendProps {
  lanes: TimelineLane[];
  onPrevious: () => void;
  onNext: () => void;
}

/** Nothing without lanes. */
export function LanesLegend({ lanes, onPrevious, onNext }: LanesLegendProps) {
  if (lanes.length === 0) return null;
  return (
    <div className={`${classes.row} ${colors.laneColors}`}>
      <Tooltip label="Previous event (P)">
        <ActionIcon
          variant="subtle"
          color="gray"
          size={28}
          aria-label="Previous event"
          aria-keyshortcuts="P"
          onClick={onPrevious}
        >
          <IconChevronLeft size={18} stroke={1.7} />
        </ActionIcon>
      </Tooltip>
      <Tooltip label="Next event (N)">
        <ActionIcon
          variant="subtle"
          color="gray"
          size={28}
          aria-label="Next event"
          aria-keyshortcuts="N"
          onClick={onNext}
        >
          <IconChevronRight size={18} stroke={1.7} />
        </ActionIcon>
      </Tooltip>
      <ul className={classes.legend} aria-label="Events, from top to bottom">
        {lanes.map(({ name, color, events }) => (
          <li key={name} title={`${name}: ${events} in the loaded time`}>
            <i style={{ background: `var(--lane-${color})` }} aria-hidden /> {name}
          </li>
        ))}
      </ul>
    </div>
  );
}
