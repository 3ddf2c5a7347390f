// The live picture over HLS: chosen by the user, or used automatically while WebRTC does not connect.
import { useEffect, useMemo, useState, useSyncExternalStore, type RefObject } from 'react';
import { playlistUrl, readLiveReason } from '../api/recordings';
import { needsFallback } from '../players/fallbackPolicy';
import { HlsLivePlayer } from '../players/HlsLivePlayer';
import type { PlayerSnapshot } from '../players/playerState';

export type LiveTransport = 'auto' | 'hls';

interface HlsLiveOptions {
  video: RefObject<HTMLVideoElement | null>;
  live: PlayerSnapshot;
  isFlowing: boolean;
  transport: LiveTransport;
  /** With `transport` 'hls': whether the user is watching. */
  isDesired: boolean;
}

export function useHlsLive(deviceId: string, { video, live, isFlowing, transport, isDesired }: HlsLiveOptions) {
  const player = useMemo(
    () =>
      new HlsLivePlayer({
        playlistUrl: playlistUrl(deviceId),
        readReason: (signal) => readLiveReason(deviceId, signal),
      }),
    [deviceId],
  );
  const snapshot = useSyncExternalStore(player.subscribe, player.getSnapshot);
  const [isFallback, setFallback] = useState(false);

  // Once active, the fallback stays until WebRTC shows a picture or watching ends: attempts in between change nothing.
  const isOver = live.state === 'live' || live.state === 'idle' || transport === 'hls';
  if (isFallback && isOver) setFallback(false);
  else if (!isFallback && !isOver && needsFallback(live, isFlowing)) setFallback(true);

  const isOn = transport === 'hls' ? isDesired : isFallback;
  useEffect(() => {
    if (!isOn || !video.current) return undefined;
    player.start(video.current);
    return () => player.stop();
  }, [player, video, isOn]);

  const { isMuted, volume } = live;
  useEffect(() => player.setSound(isMuted, volume), [player, isOn, isMuted, volume]);

  return { snapshot, isOn, isFallback, momentOf: player.momentOf };
}
