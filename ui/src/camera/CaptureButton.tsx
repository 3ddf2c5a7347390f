// Takes a snapshot of the frame on the screen, by the button or the key S.
import { IconCamera } from '@tabler/icons-react';
import type { CaptureControl } from '../snapshots/useCapture';
import { usePlayerKeys } from './usePlayerKeys';
import { PlayerButton } from './PlayerButton';

interface CaptureButtonProps {
  capture: CaptureControl;
  isRecorded: boolean;
  /** The moment on the screen, in milliseconds; null for now, or as long as no recorded picture is shown. */
  momentOf: () => number | null;
}

export function CaptureButton({ capture, isRecorded, momentOf }: CaptureButtonProps) {
  const press = () => {
    const atMs = momentOf();
    if (!isRecorded || atMs !== null) capture.take(atMs);
  };
  usePlayerKeys({ s: press });
  return (
    <PlayerButton label="Take a snapshot" keyName="S" icon={<IconCamera size={20} stroke={1.7} />} onClick={press} />
  );
}
