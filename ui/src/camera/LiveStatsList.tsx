// Statistics of the live video as this browser receives it.
import type { LiveStats } from '../players/receiverStatistics';
import { StatisticsList } from '../widgets/StatisticsList';
import { formatBitrate, formatFps, formatMs, formatSize, NOTHING } from '../formatting/statistics';

export function LiveStatsList({ statistics, isOnDark = true }: { statistics: LiveStats | null; isOnDark?: boolean }) {
  return (
    <StatisticsList
      isOnDark={isOnDark}
      rows={[
        ['Estimated latency', formatMs(statistics?.estimatedLatencyMs)],
        ['Frame rate', formatFps(statistics?.fps)],
        ['Bitrate', formatBitrate(statistics?.bitrateKbps)],
        ['Resolution', formatSize(statistics)],
        ['Codec', statistics?.codec ?? NOTHING],
        ['Packets lost', statistics ? statistics.packetsLost : NOTHING],
        ['Frames dropped', statistics ? statistics.framesDropped : NOTHING],
        ['Round trip', formatMs(statistics?.roundTripMs)],
        ['Jitter buffer', formatMs(statistics?.jitterBufferMs)],
        ['Transport', statistics?.protocol ?? NOTHING],
      ]}
    />
  );
}
