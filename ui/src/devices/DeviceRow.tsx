// One device as a row of the table.
import { Link } from 'react-router';
import type { Device, Stream } from '../api/types';
import { DeviceActions } from './DeviceActions';
import { DevicePoster } from './DevicePoster';
import { formatBitrate, formatCodec, formatFps, formatSize, NOTHING } from '../formatting/statistics';
import { ReasonText } from '../widgets/ReasonText';
import { RecordingDot } from '../recordings/RecordingDot';
import { StateBadge } from '../widgets/StateBadge';
import { TagList } from '../widgets/TagList';
import classes from './DeviceTable.module.css';

export function DeviceRow({ device, stream }: { device: Device; stream: Stream | undefined }) {
  const state = stream?.observed ?? device.state;
  const isRunning = state === 'running';
  const reason = isRunning || isRequestedStop(stream) ? null : stream?.reason;
  return (
    <tr data-testid="device-row">
      <td>
        <StateBadge state={state} isEnabled={device.enabled} />
      </td>
      <td>
        <div className={classes.camera}>
          <Link to={`/devices/${device.id}`} className={classes.poster} tabIndex={-1} aria-hidden>
            <DevicePoster deviceId={device.id} name={device.name} width={160} isRunning={isRunning} />
          </Link>
          <div className={classes.about}>
            <div className={classes.title}>
              <Link to={`/devices/${device.id}`} className={classes.name} title={device.name}>
                {device.name}
              </Link>
              <RecordingDot device={device} stream={stream} />
            </div>
            <div className={classes.under}>
              {reason ? (
                <ReasonText reason={reason} lineClamp={1} />
              ) : (
                <>
                  {device.location && <span className={classes.place}>{device.location}</span>}
                  <TagList tags={device.tags} />
                </>
              )}
            </div>
          </div>
        </div>
      </td>
      <td className={classes.video}>
        {stream?.video ? (
          <>
            {formatSize(stream.video)} <span className={classes.soft}>{formatCodec(stream.video.codec)}</span>
          </>
        ) : (
          <span className={classes.soft}>{NOTHING}</span>
        )}
      </td>
      <td className={classes.number}>{isRunning ? formatFps(stream?.fps) : NOTHING}</td>
      <td className={classes.number}>{isRunning ? formatBitrate(stream?.bitrate_kbps) : NOTHING}</td>
      <td className={classes.number}>{stream?.viewers ?? NOTHING}</td>
      <td>
        <DeviceActions device={device} />
      </td>
    </tr>
  );
}

/** A requested stop needs no explanation in a list. */
function isRequestedStop(stream: Stream | undefined): boolean {
  return stream?.observed === 'stopped' && ['requested', 'device_disabled'].includes(stream.reason?.code ?? '');
}
