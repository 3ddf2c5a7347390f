// The live picture of a camera, whichever way it comes: WebRTC, or HLS where that finds no way or somebody chose it.
import { useEffect, useMemo, useState, type RefObject } from 'react';
import type { PlayerSnapshot } from '../players/playerState';
import type { HlsLiveSnapshot } from '../players/HlsLivePlayer';
import { useHlsLive, type LiveWay } from './useHlsLive';
import { usePlayer, type PlayerElements } from './usePlayer';

interface LiveViewOptions {
  elements: PlayerElements;
  hlsVideo: RefObject<HTMLVideoElement | null>;
  isAutoplay: boolean;
  isFlowing: boolean;
}

const HLS_STATES: Record<HlsLiveSnapshot['state'], PlayerSnapshot['state']> = {
  idle: 'idle',
  connecting: 'connecting',
  live: 'live',
  reconnecting: 'reconnecting',
  failed: 'failed',
};

/** What the page shows: the picture over HTTP hides that WebRTC is still being tried. */
function combine(live: PlayerSnapshot, hls: HlsLiveSnapshot, isOn: boolean, isChosen: boolean): PlayerSnapshot {
  if (!isOn || (!isChosen && hls.state !== 'live')) return live;
  return {
    ...live,
    state: HLS_STATES[hls.state],
    cause: hls.cause ? { kind: 'network', message: hls.cause } : null,
    attempt: 0,
    retryAt: null,
    hasAudio: hls.hasAudio,
  };
}

export function useLiveView(deviceId: string, { elements, hlsVideo, isAutoplay, isFlowing }: LiveViewOptions) {
  const { player, snapshot, connect, disconnect, retryNow, setSound } = usePlayer(deviceId, elements, isAutoplay);
  const [way, setWay] = useState<LiveWay>('auto');
  const [isHlsWished, setHlsWished] = useState(false);
  const hls = useHlsLive(deviceId, { video: hlsVideo, live: snapshot, isFlowing, way, isWished: isHlsWished });

  useEffect(() => player.setSourceFlowing(isFlowing), [player, isFlowing]);
  useEffect(() => player.setHasOtherWay(hls.isOn), [player, hls.isOn]);

  const actions = useMemo(() => {
    const watch = () => (way === 'hls' ? setHlsWished(true) : connect());
    /** Without a wish of the viewer behind it: what they watched is not forgotten. */
    const leave = () => {
      setHlsWished(false);
      player.disconnect();
    };
    return {
      connect: watch,
      disconnect: () => {
        setHlsWished(false);
        disconnect();
      },
      leave,
      rejoin: () => (way === 'hls' ? setHlsWished(true) : player.connect()),
      chooseWay: (next: LiveWay) => {
        leave();
        setWay(next);
        if (next === 'hls') setHlsWished(true);
        else connect();
      },
    };
  }, [player, way, connect, disconnect]);

  return {
    player,
    snapshot: combine(snapshot, hls.snapshot, hls.isOn, way === 'hls'),
    way,
    /** Seconds behind while the picture comes over HTTP; null while it does not. */
    hls:
      hls.isOn && hls.snapshot.state === 'live'
        ? { latencySeconds: hls.snapshot.latencySeconds, isFallback: hls.isFallback }
        : null,
    isHlsOn: hls.isOn,
    retryNow,
    setSound,
    ...actions,
  };
}
