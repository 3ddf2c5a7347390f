// The two ends of a marked range, to be set at the moment on the screen.
import { ActionIcon, Button, Group, Tooltip } from '@mantine/core';
import { IconBracketsContainEnd, IconBracketsContainStart, IconX } from '@tabler/icons-react';
import type { TimeRange } from '../timeline/model';
import { formatLength } from '../formatting/moments';
import classes from './CameraTimeline.module.css';

interface RangeMarkersProps {
  marked: TimeRange | null;
  onMark: (edge: 'start' | 'end' | null) => void;
}

export function RangeMarkers({ marked, onMark }: RangeMarkersProps) {
  return (
    <Group gap={2} wrap="nowrap">
      <Tooltip label="The range begins here (I)">
        <ActionIcon
          variant="subtle"
          color="gray"
          size={32}
          aria-label="The range begins here"
          onClick={() => onMark('start')}
        >
          <IconBracketsContainStart size={18} stroke={1.7} />
        </ActionIcon>
      </Tooltip>
      <Tooltip label="The range ends here (O)">
        <ActionIcon
          variant="subtle"
          color="gray"
          size={32}
          aria-label="The range ends here"
          onClick={() => onMark('end')}
        >
          <IconBracketsContainEnd size={18} stroke={1.7} />
        </ActionIcon>
      </Tooltip>
      {marked && (
        <Button
          size="compact-xs"
          variant="light"
          color="yellow"
          rightSection={<IconX size={12} aria-hidden />}
          aria-label={`Forget the marked range of ${formatLength(marked.endMs - marked.startMs)}`}
          onClick={() => onMark(null)}
          className={classes.markedLength}
        >
          {formatLength(marked.endMs - marked.startMs)}
        </Button>
      )}
    </Group>
  );
}
