// A button above the timeline with a tooltip.
import { ActionIcon, Tooltip } from '@mantine/core';
import type { IconZoomIn } from '@tabler/icons-react';

interface TimelineButtonProps {
  label: string;
  /** Tooltip; more detailed than the label. */
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
