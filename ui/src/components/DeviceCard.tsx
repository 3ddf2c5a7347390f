// One device as a card, for narrow screens.
import { Link } from 'react-router';
import type { Device, Stream } from '../api/types';
import { DeviceActions } from './DeviceActions';
import { formatBitrate, formatFps, formatSize } from './figures';
import { ReasonText } from './ReasonText';
import { StateBadge } from './StateBadge';
import { TagList } from './TagList';
import classes from './DeviceCard.module.css';

export function DeviceCard({ device, stream }: { device: Device; stream: Stream | undefined }) {
  const state = stream?.observed ?? device.state;
  const isRunning = state === 'running';
  return (
    <li className={`surface ${classes.card}`} data-testid="device-row">
      <div className={classes.top}>
        <StateBadge state={state} isEnabled={device.enabled} />
        <DeviceActions device={device} />
      </div>
      <Link to={`/devices/${device.id}`} className={classes.name}>
        {device.name}
      </Link>
      {device.location && <div className={classes.place}>{device.location}</div>}
      {!isRunning && stream?.reason && <ReasonText reason={stream.reason} lineClamp={3} />}
      <TagList tags={device.tags} />
      {isRunning && stream && (
        <dl className={classes.figures}>
          <div>
            <dt>fps</dt>
            <dd>{formatFps(stream.fps)}</dd>
          </div>
          <div>
            <dt>Bitrate</dt>
            <dd>{formatBitrate(stream.bitrate_kbps)}</dd>
          </div>
          <div>
            <dt>Size</dt>
            <dd>{formatSize(stream.video)}</dd>
          </div>
          <div>
            <dt>Viewers</dt>
            <dd>{stream.viewers}</dd>
          </div>
        </dl>
      )}
    </li>
  );
}
