// One device as a card: the picture is on the left on narrow screens and on top in the grid.
import { Link } from 'react-router';
import type { Device, Stream } from '../api/types';
import { DeviceActions } from './DeviceActions';
import { DevicePoster } from './DevicePoster';
import { formatBitrate, formatFps, formatSize } from '../formatting/statistics';
import { ReasonText } from '../widgets/ReasonText';
import { RecordingDot } from '../recordings/RecordingDot';
import { StateBadge } from '../widgets/StateBadge';
import { TagList } from '../widgets/TagList';
import classes from './DeviceCard.module.css';

interface DeviceCardProps {
  device: Device;
  stream: Stream | undefined;
  isGrid?: boolean;
}

export function DeviceCard({ device, stream, isGrid = false }: DeviceCardProps) {
  const state = stream?.observed ?? device.state;
  const isRunning = state === 'running';
  return (
    <li className={`surface ${classes.card}`} data-grid={isGrid || undefined} data-testid="device-row">
      <Link to={`/devices/${device.id}`} className={classes.poster} tabIndex={-1} aria-hidden>
        <DevicePoster deviceId={device.id} name={device.name} width={isGrid ? 640 : 320} isRunning={isRunning} />
      </Link>
      <div className={classes.body}>
        <div className={classes.top}>
          <div className={classes.states}>
            <StateBadge state={state} isEnabled={device.enabled} />
            <RecordingDot device={device} stream={stream} />
          </div>
          <DeviceActions device={device} />
        </div>
        <Link to={`/devices/${device.id}`} className={classes.name}>
          {device.name}
        </Link>
        <div className={classes.under}>
          {device.location && <span className={classes.place}>{device.location}</span>}
          <TagList tags={device.tags} />
        </div>
        {!isRunning && stream?.reason && <ReasonText reason={stream.reason} lineClamp={3} />}
        {isRunning && stream && (
          <div className={classes.statistics}>
            <span>{formatFps(stream.fps)} fps</span>
            <span>{formatBitrate(stream.bitrate_kbps)}</span>
            <span>{formatSize(stream.video)}</span>
            {stream.viewers !== null && (
              <span>
                {stream.viewers} {stream.viewers === 1 ? 'viewer' : 'viewers'}
              </span>
            )}
          </div>
        )}
      </div>
    </li>
  );
}
