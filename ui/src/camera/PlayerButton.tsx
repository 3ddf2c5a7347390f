// A button of the player controls with icon, label and key.
import { ActionIcon, Tooltip } from '@mantine/core';
import type { ReactNode } from 'react';
import classes from './Player.module.css';

interface PlayerButtonProps {
  label: string;
  keyName?: string | null;
  icon: ReactNode;
  onClick: () => void;
  isPressed?: boolean;
  isDisabled?: boolean;
  /** Hidden where the bar is too narrow; the menu or a key does the same. */
  isSpare?: boolean;
  /** For the layout on phones: which way, and how far, the button moves the playback. */
  step?: -10 | -1 | 1 | 10;
}

export function PlayerButton({
  label,
  keyName = null,
  icon,
  onClick,
  isPressed,
  isDisabled = false,
  isSpare = false,
  step,
}: PlayerButtonProps) {
  return (
    <Tooltip label={keyName ? `${label} (${keyName})` : label}>
      <ActionIcon
        variant="transparent"
        size={36}
        className={`${classes.button} ${isSpare ? classes.spare : ''}`}
        data-step={step}
        aria-label={label}
        aria-pressed={isPressed}
        aria-keyshortcuts={keyName ?? undefined}
        disabled={isDisabled}
        style={isDisabled ? { background: 'transparent', opacity: 0.35 } : undefined}
        onClick={onClick}
      >
        {icon}
      </ActionIcon>
    </Tooltip>
  );
}
