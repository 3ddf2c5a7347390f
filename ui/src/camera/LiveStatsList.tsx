// What this browser receives, measured here.
import type { LiveFigures } from '../players/receiverStatistics';
import { FigureList } from '../widgets/StatisticsList';
import { formatBitrate, formatFps, formatMs, formatSize, NOTHING } from '../formatting/statistics';

export function StatisticsList({ figures, isOnDark = true }: { figures: LiveFigures | null; isOnDark?: boolean }) {
  return (
    <FigureList
      isOnDark={isOnDark}
      rows={[
        ['Latency, estimated', formatMs(figures?.estimatedLatencyMs)],
        ['Frames a second', formatFps(figures?.fps)],
        ['Bitrate', formatBitrate(figures?.bitrateKbps)],
        ['Resolution', formatSize(figures)],
        ['Codec', figures?.codec ?? NOTHING],
        ['Packets lost', figures ? figures.packetsLost : NOTHING],
        ['Frames dropped', figures ? figures.framesDropped : NOTHING],
        ['Round trip', formatMs(figures?.roundTripMs)],
        ['Jitter buffer', formatMs(figures?.jitterBufferMs)],
        ['Carried by', figures?.protocol ?? NOTHING],
      ]}
    />
  );
}
