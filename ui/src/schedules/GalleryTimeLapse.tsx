// A time-lapse of the snapshots that the gallery shows of one camera; its progress is on that camera's page of snapshots.
import { Button } from '@mantine/core';
import { IconPlayerTrackNext } from '@tabler/icons-react';
import { useState } from 'react';
import { useNavigate } from 'react-router';
import { useRecording } from '../recordings/useRecording';
import { DAY_MS, type TimeRange } from '../timeline/model';
import { ownTimeZone } from '../formatting/timeZone';
import { schedulesAddress } from '../addresses/bookmarkAddresses';
import { TimeLapseDialog } from './TimeLapseDialog';

interface GalleryTimeLapseProps {
  deviceId: string;
  /** The filter's ends, where it has them. */
  start: string | undefined;
  end: string | undefined;
}

export function GalleryTimeLapse({ deviceId, start, end }: GalleryTimeLapseProps) {
  const navigate = useNavigate();
  const timeZone = useRecording(deviceId).data?.recording.time_zone ?? ownTimeZone();
  const [range, setRange] = useState<TimeRange | null>(null);
  const ask = () => {
    const endMs = Math.min(Date.now(), end ? Date.parse(end) : Date.now());
    setRange({ startMs: start ? Date.parse(start) : endMs - DAY_MS, endMs });
  };
  return (
    <>
      <Button variant="default" leftSection={<IconPlayerTrackNext size={16} stroke={1.7} />} onClick={ask}>
        Time-lapse…
      </Button>
      {range && (
        <TimeLapseDialog
          deviceId={deviceId}
          timeZone={timeZone}
          range={range}
          source="snapshots"
          onStarted={() => void navigate(schedulesAddress(deviceId))}
          onClose={() => setRange(null)}
        />
      )}
    </>
  );
}
