// Live statistics of every stream, by device id. The interval grows with the number of streams.
import { useQuery } from '@tanstack/react-query';
import { listStreams } from '../api/streams';
import type { Stream } from '../api/types';
import { queryKeys } from '../api/queryKeys';
import { paced } from '../live/liveState';

const byDevice = (streams: Stream[]) => new Map(streams.map((stream) => [stream.device_id, stream]));

export function useStreamList() {
  return useQuery({
    queryKey: queryKeys.streamList,
    queryFn: ({ signal }) => listStreams(signal),
    select: byDevice,
    // The figures are no events.
    refetchInterval: (query) => Math.min(20_000, paced(2_000, 10_000)() + (query.state.data?.length ?? 0) * 20),
  });
}
