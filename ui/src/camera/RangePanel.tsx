// Exports and time-lapses of a camera, and how to mark a range for a new one.
import { Button, Text } from '@mantine/core';
import { JobList } from '../jobs/JobList';
import { Panel } from '../widgets/Panel';
import classes from './RangePanel.module.css';

interface RangePanelProps {
  deviceId: string;
  timeZone: string;
  hasFootage: boolean;
  isMarked: boolean;
  onMark: (edge: 'start' | 'end' | null) => void;
}

export function RangePanel({ deviceId, timeZone, hasFootage, isMarked, onMark }: RangePanelProps) {
  return (
    <Panel title="Export, protect, delete">
      {!isMarked && (
        <div className={classes.hint}>
          <Text size="sm" c="dimmed">
            Mark a range first: with the brackets above the timeline
            <span className="keyboard-only">, or with the key I at its start and the key O at its end</span>. The
            actions then appear below the timeline.
          </Text>
          <Button variant="default" size="xs" disabled={!hasFootage} onClick={() => onMark('end')}>
            Mark the last minute
          </Button>
        </div>
      )}
      {isMarked && (
        <Text size="sm" c="dimmed">
          The actions on the marked range are below the timeline.
        </Text>
      )}
      <JobList kind="export" title="Exports" deviceId={deviceId} timeZone={timeZone} />
      <JobList kind="time_lapse" title="Time-lapses" deviceId={deviceId} timeZone={timeZone} />
    </Panel>
  );
}
