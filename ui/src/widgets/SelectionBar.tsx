// What is done with the snapshots that are chosen: at the bottom of the screen, wherever the list is scrolled to.
import { Button, CloseButton } from '@mantine/core';
import { IconDownload, IconTrash } from '@tabler/icons-react';
import classes from './SelectionBar.module.css';

interface SelectionBarProps {
  count: number;
  /** How many are read into the archive so far; null while none is made. */
  packed: number | null;
  onDownload: () => void;
  onDelete: () => void;
  onClear: () => void;
}

export function SelectionBar({ count, packed, onDownload, onDelete, onClear }: SelectionBarProps) {
  return (
    <div className={classes.bar} role="toolbar" aria-label="Chosen snapshots">
      <CloseButton aria-label="Choose none" onClick={onClear} />
      <span className={classes.count} aria-live="polite">
        {count} chosen
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
