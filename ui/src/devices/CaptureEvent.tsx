// An entry of a device's history that is no state change; one for a snapshot, bookmark or clip links to it.
import { IconBookmark, IconClockExclamation, IconMovie, IconPhoto } from '@tabler/icons-react';
import { Link } from 'react-router';
import type { DeviceEvent, DeviceEventKind } from '../api/types';
import { bookmarkAddress, snapshotAddress } from '../addresses/bookmarkAddresses';
import { sentence } from '../formatting/sentence';
import badges from '../widgets/StateBadge.module.css';
import classes from './EventHistory.module.css';

const STYLES: Record<
  Exclude<DeviceEventKind, 'state'>,
  { label: string; Icon: typeof IconPhoto; addressOf?: (id: string) => string }
> = {
  snapshot: { label: 'Snapshot', Icon: IconPhoto, addressOf: snapshotAddress },
  bookmark: { label: 'Bookmark', Icon: IconBookmark, addressOf: bookmarkAddress },
  clip: { label: 'Clip', Icon: IconMovie, addressOf: bookmarkAddress },
  footage: { label: 'Footage', Icon: IconClockExclamation },
};

export function CaptureEvent({ event }: { event: DeviceEvent }) {
  if (event.kind === 'state') return null;
  const { label, Icon, addressOf } = STYLES[event.kind];
  const text = sentence(event.text ?? label);
  return (
    <>
      <span>
        <span className={`${badges.badge} ${badges.still}`} data-kind={event.kind}>
          <Icon size={15} stroke={2} aria-hidden />
          {label}
        </span>
      </span>
      <span className={`${classes.reason} ${classes.text}`}>
        {event.reference && addressOf ? <Link to={addressOf(event.reference)}>{text}</Link> : text}
        {event.by_name && <> · {event.by_name}</>}
      </span>
    </>
  );
}
