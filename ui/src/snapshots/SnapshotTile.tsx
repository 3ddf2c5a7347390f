// One snapshot in the gallery: picture, camera, time, and a checkbox that selects it.
import { Checkbox, UnstyledButton } from '@mantine/core';
import { IconNote, IconPhotoOff } from '@tabler/icons-react';
import { memo, useState } from 'react';
import type { Snapshot } from '../api/snapshots';
import { formatTime } from '../formatting/zonedTimes';
import { KIND_STYLES, pictureName } from './snapshotFormatting';
import { TagList } from '../widgets/TagList';
import classes from './SnapshotGrid.module.css';

interface SnapshotTileProps {
  snapshot: Snapshot;
  timeZone: string;
  isSelected: boolean;
  isSelecting: boolean;
  onOpen: (id: string) => void;
  /** `isRange` selects everything from the tile selected before. */
  onSelect: (id: string, isRange: boolean) => void;
}

export const SnapshotTile = memo(function SnapshotTile({
  snapshot,
  timeZone,
  isSelected,
  isSelecting,
  onOpen,
  onSelect,
}: SnapshotTileProps) {
  const [isBroken, setBroken] = useState(false);
  const { id, device_name: device, at, kind, note, tags } = snapshot;
  const name = pictureName(snapshot, timeZone);
  const { Icon, description } = KIND_STYLES[kind];
  return (
    <li className={`surface ${classes.tile}`} data-testid="snapshot-tile" data-selected={isSelected || undefined}>
      <UnstyledButton
        className={classes.open}
        onClick={(event) => (isSelecting || event.shiftKey ? onSelect(id, event.shiftKey) : onOpen(id))}
      >
        <span className={classes.picture}>
          {isBroken ? (
            <IconPhotoOff size={26} stroke={1.4} aria-hidden />
          ) : (
            <img src={snapshot.thumbnail_url} alt="" loading="lazy" decoding="async" onError={() => setBroken(true)} />
          )}
        </span>
        <span className="visually-hidden">{isSelecting ? `Select ${name}` : name}</span>
        <span className={classes.text}>
          <span className={classes.device} title={device}>
            {device}
          </span>
          <span className={classes.under}>
            <time dateTime={at}>{formatTime(timeZone, Date.parse(at))}</time>
            <span className={classes.kind} title={description}>
              <Icon size={14} stroke={1.8} aria-label={description} role="img" />
            </span>
            {note && (
              <span className={classes.note} title={note}>
                <IconNote size={14} stroke={1.8} aria-hidden />
                <span>{note}</span>
              </span>
            )}
          </span>
          {tags.length > 0 && (
            <span className={classes.tags}>
              <TagList tags={tags} max={2} />
            </span>
          )}
        </span>
      </UnstyledButton>
      {/* The label is the target: larger than the box. */}
      <label className={classes.select}>
        <Checkbox
          size="sm"
          radius="xl"
          aria-label={`Select ${name}`}
          checked={isSelected}
          onChange={(event) => onSelect(id, (event.nativeEvent as Partial<globalThis.MouseEvent>).shiftKey === true)}
        />
      </label>
    </li>
  );
});
