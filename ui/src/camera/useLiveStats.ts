// The player's measurements, about once a second; null while nothing is received.
import { useEffect, useState } from 'react';
import type { LiveStats } from '../players/receiverStatistics';
import type { WebRtcPlayer } from '../players/WebRtcPlayer';

export function useLiveStats(player: WebRtcPlayer): LiveStats | null {
  const [statistics, setStatistics] = useState<LiveStats | null>(null);
  useEffect(() => player.subscribeStatistics(setStatistics), [player]);
  return statistics;
}
