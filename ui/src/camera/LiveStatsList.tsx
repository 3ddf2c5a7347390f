// What this browser receives, measured here.
import type { LiveStats } from '../players/receiverStatistics';
import { StatisticsList } from '../widgets/StatisticsList';
import { formatBitrate, formatFps, formatMs, formatSize, NOTHING } from '../formatting/statistics';

export function LiveStatsList({ statistics, isOnDark = true }: { statistics: LiveStats | null; isOnDark?: boolean }) {
  return (
    <StatisticsList
      isOnDark={isOnDark}
      rows={[
        ['Latency, estimated', formatMs(statistics?.estimatedLatencyMs)],
        ['Frames a second', formatFps(statistics?.fps)],
        ['Bitrate', formatBitrate(statistics?.bitrateKbps)],
        ['Resolution', formatSize(statistics)],
        ['Codec', statistics?.codec ?? NOTHING],
        ['Packets lost', statistics ? statistics.packetsLost : NOTHING],
        ['Frames dropped', statistics ? statistics.framesDropped : NOTHING],
        ['Round trip', formatMs(statistics?.roundTripMs)],
        ['Jitter buffer', formatMs(statistics?.jitterBufferMs)],
        ['Carried by', statistics?.protocol ?? NOTHING],
      ]}
    />
  );
}
