// One event in the grid: its best picture, what it is, camera, time, duration, score and zone.
import { IconActivity, IconPhotoOff } from '@tabler/icons-react';
import { memo, useState } from 'react';
import { Link } from 'react-router';
import { eventMomentAddress } from '../addresses/recordingAddresses';
import { eventPictureUrl, type CameraEvent } from '../api/events';
import { eventName, formatEventLength, formatScore } from '../formatting/eventTexts';
import { formatTime } from '../formatting/zonedTimes';
import classes from './EventGrid.module.css';

interface EventTileProps {
  event: CameraEvent;
  camera: string;
  timeZone: string;
  /** The one of all tiles that Tab reaches. */
  isStop: boolean;
  onOpen: (id: number) => void;
  onFocus: (id: number) => void;
}

export const EventTile = memo(function EventTile({ event, camera, timeZone, isStop, onOpen, onFocus }: EventTileProps) {
  const [broken, setBroken] = useState<string | null>(null);
  const { id, device_id: deviceId, snapshot_id: snapshotId, start, end, zone } = event;
  const name = eventName(event);
  const length = formatEventLength(start, end);
  const score = formatScore(event.score);
  return (
    <li className={`surface ${classes.tile}`} data-testid="event-tile">
      <Link
        to={deviceId === null ? `?event=${id}` : eventMomentAddress(deviceId, Date.parse(start))}
        className={classes.open}
        tabIndex={isStop ? 0 : -1}
        data-event={id}
        // With a modifier the browser opens the camera at this moment, in a tab of its own.
        onClick={(click) => {
          if (click.metaKey || click.ctrlKey || click.shiftKey) return;
          click.preventDefault();
          onOpen(id);
        }}
        onFocus={() => onFocus(id)}
      >
        <span className={classes.picture}>
          {snapshotId === null ? (
            <IconActivity size={30} stroke={1.3} aria-hidden />
          ) : broken === snapshotId ? (
            <IconPhotoOff size={26} stroke={1.4} aria-hidden />
          ) : (
            <img
              src={eventPictureUrl(snapshotId, 480)}
              alt=""
              loading="lazy"
              decoding="async"
              draggable={false}
              onError={() => setBroken(snapshotId)}
            />
          )}
          {length && (
            <span className={classes.length} data-live={end === null || undefined}>
              {length}
            </span>
          )}
        </span>
        <span className={classes.text}>
          <span className={classes.line}>
            <span className={classes.name} title={name}>
              {name}
            </span>
            {score && <span className={classes.score}>{score}</span>}
          </span>
          <span className={classes.camera} title={camera}>
            {camera}
          </span>
          <span className={classes.under}>
            <time dateTime={start}>{formatTime(timeZone, Date.parse(start))}</time>
            {zone && (
              <span className={classes.zone} title={zone}>
                {zone}
              </span>
            )}
          </span>
        </span>
      </Link>
    </li>
  );
});
