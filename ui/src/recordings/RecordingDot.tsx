// The recording state of a listed camera as an icon next to its name; nothing if its recording mode is off.
import { useRecordings } from './useRecordings';
import { RecordingBadge } from './RecordingBadge';

export function RecordingDot({ deviceId }: { deviceId: string }) {
  const recording = useRecordings().data?.get(deviceId);
  if (!recording || recording.mode === 'off') return null;
  return <RecordingBadge recording={recording} isSmall />;
}
