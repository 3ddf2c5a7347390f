// Binds a HistoryPlayer to a page: one player per device, with its state as React state. Nothing is fetched before the first seek.
import { useMemo, useSyncExternalStore } from 'react';
import { ApiError } from '../api/http';
import { fetchPlaylist, playlistUrl } from '../api/recordings';
import type { Window } from '../players/FootageFeed';
import { FootageUnavailable, type FootageLossKind } from '../players/historyState';
import { HistoryPlayer } from '../players/HistoryPlayer';

const momentOf = (text: string | undefined): number | null => {
  const ms = Date.parse(text ?? '');
  return Number.isFinite(ms) ? ms : null;
};

export function lossOf(error: ApiError): FootageUnavailable {
  const { status, reason, message, errors } = error;
  if (status === 404 && reason === 'no_footage') {
    return new FootageUnavailable(
      'no_footage',
      message,
      momentOf(errors.nearest_before),
      momentOf(errors.nearest_after),
    );
  }
  let kind: FootageLossKind = 'server';
  if (status === 0) kind = 'network';
  else if (status === 401 || status === 403) kind = 'forbidden';
  else if (status === 404) kind = 'deleted';
  return new FootageUnavailable(kind, message);
}

const spell = ({ fromMs, toMs }: Window) => ({
  start: new Date(fromMs).toISOString(),
  end: new Date(toMs).toISOString(),
});

function createPlayer(deviceId: string): HistoryPlayer {
  return new HistoryPlayer({
    addressOf: (window) => playlistUrl(deviceId, spell(window)),
    playlistUrl: new URL(playlistUrl(deviceId), window.location.href).href,
    fetchPlaylist: async (window, signal) => {
      try {
        return await fetchPlaylist(deviceId, spell(window), signal);
      } catch (error) {
        throw error instanceof ApiError ? lossOf(error) : error;
      }
    },
  });
}

export function useHistoryPlayer(deviceId: string) {
  const player = useMemo(() => createPlayer(deviceId), [deviceId]);
  const snapshot = useSyncExternalStore(player.subscribe, player.getSnapshot);
  return { player, snapshot };
}

/** The moment on the screen, updated a few times a second; to be used only by components that show it. */
export function useShownMoment(player: HistoryPlayer): number | null {
  return useSyncExternalStore(player.subscribeMoment, player.getMoment);
}
