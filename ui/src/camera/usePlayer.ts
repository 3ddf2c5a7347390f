// Binds a WebRtcPlayer to a page: one player per device, with its state as React state.
import { useEffect, useMemo, useSyncExternalStore, type RefObject } from 'react';
import { ApiError } from '../api/http';
import { fetchLatestFootage, requestViewer } from '../api/streams';
import { recallSound, rememberPlayer, rememberSound } from '../players/playerMemory';
import { PlaybackLost, type LossKind } from '../players/playerState';
import { loadMediasoup } from '../players/routerDevice';
import { WebRtcPlayer } from '../players/WebRtcPlayer';

const LOSS_BY_STATUS: Record<number, LossKind> = {
  0: 'network',
  401: 'forbidden',
  403: 'forbidden',
  404: 'deleted',
  409: 'stream_stopped',
  429: 'too_many_viewers',
};

function createPlayer(deviceId: string): WebRtcPlayer {
  return new WebRtcPlayer({
    fetchFootage: (signal) => fetchLatestFootage(deviceId, signal),
    requestGrant: async (signal) => {
      try {
        return await requestViewer(deviceId, signal);
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        throw new PlaybackLost(LOSS_BY_STATUS[error.status] ?? 'server_error', error.message);
      }
    },
  });
}

export interface PlayerElements {
  live: RefObject<HTMLVideoElement | null>;
  preview: RefObject<HTMLVideoElement | null>;
  freezeFrame: RefObject<HTMLCanvasElement | null>;
}

export function usePlayer(deviceId: string, elements: PlayerElements, isAutoplay: boolean) {
  const player = useMemo(() => createPlayer(deviceId), [deviceId]);
  const snapshot = useSyncExternalStore(player.subscribe, player.getSnapshot);
  const { live, preview, freezeFrame } = elements;

  useEffect(() => void loadMediasoup().catch(() => {}), []);

  useEffect(() => {
    if (!live.current || !preview.current || !freezeFrame.current) return undefined;
    const sound = recallSound();
    player.setSound(sound.isMuted || isAutoplay, sound.volume);
    const detach = player.attach(live.current, preview.current, freezeFrame.current);
    if (isAutoplay) player.connect();
    return detach;
  }, [player, live, preview, freezeFrame, isAutoplay]);

  const actions = useMemo(
    () => ({
      connect: () => {
        rememberPlayer(deviceId, { wasWatching: true });
        player.connect();
      },
      disconnect: () => {
        rememberPlayer(deviceId, { wasWatching: false });
        player.disconnect();
      },
      retryNow: () => player.retryNow(),
      setSound: (isMuted: boolean, volume: number) => {
        rememberSound({ isMuted, volume });
        player.setSound(isMuted, volume);
      },
    }),
    [player, deviceId],
  );

  return { player, snapshot, ...actions };
}
