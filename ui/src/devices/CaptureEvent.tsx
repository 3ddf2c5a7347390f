// A row of a device's history that tells of a snapshot, a bookmark or a clip, and leads to it.
import { IconBookmark, IconMovie, IconPhoto } from '@tabler/icons-react';
import { Link } from 'react-router';
import type { DeviceEvent, DeviceEventKind } from '../api/types';
import { bookmarkAddress, snapshotAddress } from '../addresses/bookmarkAddresses';
import { sentence } from '../formatting/sentence';
import badges from '../widgets/StateBadge.module.css';
import classes from './EventHistory.module.css';

const LOOKS: Record<
  Exclude<DeviceEventKind, 'state'>,
  { word: string; Icon: typeof IconPhoto; addressOf: (id: string) => string }
> = {
  snapshot: { word: 'Snapshot', Icon: IconPhoto, addressOf: snapshotAddress },
  bookmark: { word: 'Bookmark', Icon: IconBookmark, addressOf: bookmarkAddress },
  clip: { word: 'Clip', Icon: IconMovie, addressOf: bookmarkAddress },
};

export function CaptureEvent({ event }: { event: DeviceEvent }) {
  if (event.kind === 'state') return null;
  const { word, Icon, addressOf } = LOOKS[event.kind];
  const words = sentence(event.text ?? word);
  return (
    <>
      <span>
        <span className={`${badges.badge} ${badges.still}`} data-kind={event.kind}>
          <Icon size={15} stroke={2} aria-hidden />
          {word}
        </span>
      </span>
      <span className={`${classes.reason} ${classes.words}`}>
        {event.reference ? <Link to={addressOf(event.reference)}>{words}</Link> : words}
        {event.by_name && <> · {event.by_name}</>}
      </span>
    </>
  );
}
