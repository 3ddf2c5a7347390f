// Devices as a table, for wide screens.
import type { Device, Stream } from '../api/types';
import { DeviceRow } from './DeviceRow';
import { SortHeader } from '../widgets/SortHeader';
import classes from './DeviceTable.module.css';

interface DeviceTableProps {
  devices: Device[];
  streams: Map<string, Stream> | undefined;
  sort: string;
  onSort: (sort: string) => void;
}

export function DeviceTable({ devices, streams, sort, onSort }: DeviceTableProps) {
  return (
    <div className={`surface ${classes.scroll}`}>
      <table className={classes.table}>
        <caption className="visually-hidden">Cameras with their state and live statistics</caption>
        <thead>
          <tr>
            <SortHeader field="state" sort={sort} onSort={onSort} className={classes.state}>
              State
            </SortHeader>
            <SortHeader field="name" sort={sort} onSort={onSort}>
              Camera
            </SortHeader>
            <th scope="col" className={classes.video}>
              Video
            </th>
            <th scope="col" className={`${classes.number} ${classes.fps}`}>
              fps
            </th>
            <th scope="col" className={`${classes.number} ${classes.bitrate}`}>
              Bitrate
            </th>
            <th scope="col" className={`${classes.number} ${classes.viewers}`}>
              Viewers
            </th>
            <th scope="col" className={classes.actions}>
              <span className="visually-hidden">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {devices.map((device) => (
            <DeviceRow key={device.id} device={device} stream={streams?.get(device.id)} />
          ))}
        </tbody>
      </table>
    </div>
  );
}
