// What the player measures, about once a second; null while nothing is received.
import { useEffect, useState } from 'react';
import type { LiveFigures } from '../players/receiverStatistics';
import type { WebRtcPlayer } from '../players/WebRtcPlayer';

export function useLiveFigures(player: WebRtcPlayer): LiveFigures | null {
  const [figures, setFigures] = useState<LiveFigures | null>(null);
  useEffect(() => player.subscribeStatistics(setFigures), [player]);
  return figures;
}
