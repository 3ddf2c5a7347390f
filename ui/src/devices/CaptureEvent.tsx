// An entry of a device's history that is no state change; one for a snapshot, bookmark or clip links to it.
import {
  IconBookmark,
  IconClockExclamation,
  IconMovie,
  IconPhoto,
  IconPlayerRecord,
  IconPointFilled,
  IconSettings,
  IconTimelineEventExclamation,
} from '@tabler/icons-react';
import { Link } from 'react-router';
import type { DeviceEvent } from '../api/types';
import { bookmarkAddress, snapshotAddress } from '../addresses/bookmarkAddresses';
import { sentence } from '../formatting/sentence';
import badges from '../widgets/StateBadge.module.css';
import classes from './EventHistory.module.css';

interface KindStyle {
  label: string;
  Icon: typeof IconPhoto;
  addressOf?: (id: string) => string;
}

const STYLES: Record<string, KindStyle> = {
  snapshot: { label: 'Snapshot', Icon: IconPhoto, addressOf: snapshotAddress },
  bookmark: { label: 'Bookmark', Icon: IconBookmark, addressOf: bookmarkAddress },
  clip: { label: 'Clip', Icon: IconMovie, addressOf: bookmarkAddress },
  footage: { label: 'Footage', Icon: IconClockExclamation },
  recording: { label: 'Recording', Icon: IconPlayerRecord },
  gap: { label: 'Gap', Icon: IconTimelineEventExclamation },
  device: { label: 'Camera', Icon: IconSettings },
  job: { label: 'Job', Icon: IconMovie },
};

/** Kinds of plugins are shown by their own names. */
const styleOf = (kind: string): KindStyle =>
  STYLES[kind] ?? { label: sentence(kind.replace(/[._-]+/g, ' ')).replace(/\.$/, ''), Icon: IconPointFilled };

function describe(event: DeviceEvent, label: string): string {
  const words = [event.label, event.zone && `in ${event.zone}`, event.to].filter(Boolean).join(' ');
  return event.text ?? ([words, event.reason?.message].filter(Boolean).join(': ') || label);
}

export function CaptureEvent({ event }: { event: DeviceEvent }) {
  if (event.kind === 'state') return null;
  const { label, Icon, addressOf } = styleOf(event.kind);
  const text = sentence(describe(event, label));
  // The badge says it already.
  const isRepeated = text.toLowerCase() === `${label}.`.toLowerCase();
  return (
    <>
      <span>
        <span className={`${badges.badge} ${badges.still}`} data-kind={event.kind}>
          <Icon size={15} stroke={2} aria-hidden />
          {label}
        </span>
      </span>
      <span className={`${classes.reason} ${classes.text}`}>
        {event.reference && addressOf ? <Link to={addressOf(event.reference)}>{text}</Link> : !isRepeated && text}
        {event.by_name && `${isRepeated ? '' : ' · '}${event.by_name}`}
      </span>
    </>
  );
}
