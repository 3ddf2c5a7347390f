// Creates a time-lapse from one camera's snapshots in the gallery; its progress is shown on the camera's snapshots page.
import { Button } from '@mantine/core';
import { IconPlayerTrackNext } from '@tabler/icons-react';
import { useState } from 'react';
import { useNavigate } from 'react-router';
import { useRecording } from '../recordings/useRecording';
import { DAY_MS, type TimeRange } from '../timeline/model';
import { useShownZone } from '../widgets/useShownZone';
import { schedulesAddress } from '../addresses/bookmarkAddresses';
import { TimeLapseDialog } from './TimeLapseDialog';

interface GalleryTimeLapseProps {
  deviceId: string;
  /** Start and end of the filter, if set. */
  start: string | undefined;
  end: string | undefined;
}

export function GalleryTimeLapse({ deviceId, start, end }: GalleryTimeLapseProps) {
  const navigate = useNavigate();
  const timeZone = useShownZone(useRecording(deviceId).data?.recording.time_zone);
  const [range, setRange] = useState<TimeRange | null>(null);
  const openDialog = () => {
    const endMs = Math.min(Date.now(), end ? Date.parse(end) : Date.now());
    setRange({ startMs: start ? Date.parse(start) : endMs - DAY_MS, endMs });
  };
  return (
    <>
      <Button variant="default" leftSection={<IconPlayerTrackNext size={16} stroke={1.7} />} onClick={openDialog}>
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
