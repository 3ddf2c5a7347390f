// The live picture of a camera over either transport: WebRTC, or HLS where WebRTC does not connect or the user chose HLS.
import { useEffect, useMemo, useState, type RefObject } from 'react';
import type { PlayerSnapshot } from '../players/playerState';
import type { HlsLiveSnapshot } from '../players/HlsLivePlayer';
import { useHlsLive, type LiveTransport } from './useHlsLive';
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

/** The state for the page: a picture over HLS hides that WebRTC is still being tried. */
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
  const [transport, setTransport] = useState<LiveTransport>('auto');
  const [isHlsDesired, setHlsDesired] = useState(false);
  const hls = useHlsLive(deviceId, { video: hlsVideo, live: snapshot, isFlowing, transport, isDesired: isHlsDesired });

  useEffect(() => player.setSourceFlowing(isFlowing), [player, isFlowing]);
  useEffect(() => player.setHasOtherTransport(hls.isOn), [player, hls.isOn]);

  const actions = useMemo(() => {
    const watch = () => (transport === 'hls' ? setHlsDesired(true) : connect());
    /** Disconnects without a request of the user, so playerMemory keeps that this camera was being watched. */
    const leave = () => {
      setHlsDesired(false);
      player.disconnect();
    };
    return {
      connect: watch,
      disconnect: () => {
        setHlsDesired(false);
        disconnect();
      },
      leave,
      rejoin: () => (transport === 'hls' ? setHlsDesired(true) : player.connect()),
      chooseTransport: (next: LiveTransport) => {
        leave();
        setTransport(next);
        if (next === 'hls') setHlsDesired(true);
        else connect();
      },
    };
  }, [player, transport, connect, disconnect]);

  return {
    player,
    snapshot: combine(snapshot, hls.snapshot, hls.isOn, transport === 'hls'),
    transport,
    /** Delay while the picture comes over HLS; null while it does not. */
    hls:
      hls.isOn && hls.snapshot.state === 'live'
        ? { latencySeconds: hls.snapshot.latencySeconds, isFallback: hls.isFallback }
        : null,
    isHlsOn: hls.isOn,
    /** The capture time of a frame over HLS. */
    hlsMomentOf: hls.momentOf,
    retryNow,
    setSound,
    ...actions,
  };
}
