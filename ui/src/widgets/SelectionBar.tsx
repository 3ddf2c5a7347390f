// Actions on the selected snapshots, fixed at the bottom of the screen while the list scrolls.
import { Button, CloseButton } from '@mantine/core';
import { IconDownload, IconTrash } from '@tabler/icons-react';
import classes from './SelectionBar.module.css';

interface SelectionBarProps {
  count: number;
  /** Snapshots packed into the archive so far; null while no archive is being created. */
  packed: number | null;
  onDownload: () => void;
  onDelete: () => void;
  onClear: () => void;
}

export function SelectionBar({ count, packed, onDownload, onDelete, onClear }: SelectionBarProps) {
  return (
    <div className={classes.bar} role="toolbar" aria-label="Selected snapshots">
      <CloseButton aria-label="Clear selection" onClick={onClear} />
      <span className={classes.count} aria-live="polite">
        {count} selected
      </span>
      <Button
        size="xs"
        variant="light"
        leftSection={<IconDownload size={15} />}
        disabled={packed !== null}
        onClick={onDownload}
      >
        {packed !== null ? `${packed} of ${count}` : count === 1 ? 'Download' : 'Download all'}
      </Button>
      <Button
        size="xs"
        variant="default"
        c="var(--vas-bad)"
        leftSection={<IconTrash size={15} stroke={1.7} />}
        onClick={onDelete}
      >
        Delete
      </Button>
    </div>
  );
}
