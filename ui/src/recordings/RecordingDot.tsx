// Whether a listed camera is being recorded: a mark beside its name. Says nothing where nobody wants it recorded.
import { useRecordings } from './useRecordings';
import { RecordingBadge } from './RecordingBadge';

export function RecordingDot({ deviceId }: { deviceId: string }) {
  const recording = useRecordings().data?.get(deviceId);
  if (!recording || recording.mode === 'off') return null;
  return <RecordingBadge recording={recording} isSmall />;
}
