// Sets the start and the end of a marked range to the moment on the screen.
import { Button, Group } from '@mantine/core';
import { IconBracketsContainEnd, IconBracketsContainStart, IconX } from '@tabler/icons-react';
import type { TimeRange } from '../timeline/model';
import { formatLength } from '../formatting/moments';
import { TimelineButton } from './TimelineButton';
import classes from './CameraTimeline.module.css';

interface RangeMarkersProps {
  marked: TimeRange | null;
  onMark: (edge: 'start' | 'end' | null) => void;
}

export function RangeMarkers({ marked, onMark }: RangeMarkersProps) {
  return (
    <Group gap={2} wrap="nowrap">
      <TimelineButton
        label="Mark start"
        hint="Mark the start of a range (I)"
        Icon={IconBracketsContainStart}
        onClick={() => onMark('start')}
      />
      <TimelineButton
        label="Mark end"
        hint="Mark the end of a range (O)"
        Icon={IconBracketsContainEnd}
        onClick={() => onMark('end')}
      />
      {marked && (
        <Button
          size="compact-xs"
          variant="light"
          color="yellow"
          rightSection={<IconX size={12} aria-hidden />}
          aria-label={`Clear the marked range of ${formatLength(marked.endMs - marked.startMs)}`}
          onClick={() => onMark(null)}
          className={classes.markedLength}
        >
          {formatLength(marked.endMs - marked.startMs)}
        </Button>
      )}
    </Group>
  );
}
