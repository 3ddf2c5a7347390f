// A button above the timeline, with its name in a tooltip.
import { ActionIcon, Tooltip } from '@mantine/core';
import type { IconZoomIn } from '@tabler/icons-react';

interface TimelineButtonProps {
  label: string;
  /** What it does, more exactly than its name. */
  hint: string;
  Icon: typeof IconZoomIn;
  className?: string | undefined;
  onClick: () => void;
}

export function TimelineButton({ label, hint, Icon, className, onClick }: TimelineButtonProps) {
  return (
    <Tooltip label={hint}>
      <ActionIcon variant="subtle" color="gray" size={32} aria-label={label} className={className} onClick={onClick}>
        <Icon size={18} stroke={1.7} />
      </ActionIcon>
    </Tooltip>
  );
}
