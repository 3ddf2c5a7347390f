// The live player of one camera: picture, what lies over it, and its controls.
import { useCallback, useEffect, useRef, useState } from 'react';
import type { Stream } from '../api/types';
import { useLiveFigures } from '../hooks/useLiveFigures';
import { usePlayer } from '../hooks/usePlayer';
import { usePlayerKeys } from '../hooks/usePlayerKeys';
import { recallPlayer } from '../players/playerMemory';
import type { LiveFigures } from '../players/receiverStatistics';
import { PlayerControls } from './PlayerControls';
import { PlayerOverlay } from './PlayerOverlay';
import { StatisticsOverlay } from './StatisticsOverlay';
import classes from './Player.module.css';

interface PlayerProps {
  deviceId: string;
  name: string;
  stream: Stream | undefined;
  isAutoplay: boolean;
  onFigures: (figures: LiveFigures | null) => void;
}

const FRESH_PART_MS = 3_000;

export function Player({ deviceId, name, stream, isAutoplay, onFigures }: PlayerProps) {
  const frame = useRef<HTMLDivElement>(null);
  const live = useRef<HTMLVideoElement>(null);
  const preview = useRef<HTMLVideoElement>(null);
  const held = useRef<HTMLCanvasElement>(null);
  const { player, snapshot, connect, disconnect, retryNow, setSound } = usePlayer(deviceId, { live, preview, held }, isAutoplay);
  const figures = useLiveFigures(player);
  const [hasStatistics, setHasStatistics] = useState(false);
  const [wasWatching] = useState(() => recallPlayer(deviceId).wasWatching);

  useEffect(() => onFigures(figures), [figures, onFigures]);

  const isFlowing = stream === undefined || (stream.observed === 'running' && (stream.last_part_age_ms ?? 0) < FRESH_PART_MS);
  useEffect(() => player.setSourceFlowing(isFlowing), [player, isFlowing]);

  const { state, isMuted, volume } = snapshot;
  const toggle = useCallback(() => (state === 'idle' || state === 'failed' ? connect() : disconnect()), [state, connect, disconnect]);
  const mute = useCallback(() => setSound(!isMuted, volume === 0 ? 1 : volume), [setSound, isMuted, volume]);
  const toggleStatistics = useCallback(() => setHasStatistics((shown) => !shown), []);
  const toggleFullscreen = useCallback(() => {
    if (document.fullscreenElement) void document.exitFullscreen();
    else if (frame.current?.requestFullscreen) frame.current.requestFullscreen().catch(() => {});
    else (live.current as { webkitEnterFullscreen?: () => void } | null)?.webkitEnterFullscreen?.();
  }, []);
  const togglePictureInPicture = useCallback(() => {
    if (document.pictureInPictureElement) document.exitPictureInPicture().catch(() => {});
    else live.current?.requestPictureInPicture().catch(() => {});
  }, []);
  usePlayerKeys({ onToggle: toggle, onMute: mute, onFullscreen: toggleFullscreen, onStatistics: toggleStatistics });

  return (
    <section className={classes.player} ref={frame} aria-label={`Live picture of ${name}`}>
      <div className={classes.stage} onDoubleClick={toggleFullscreen}>
        <canvas className={classes.layer} ref={held} hidden />
        <video className={classes.layer} ref={preview} data-testid="preview-video" muted playsInline aria-hidden tabIndex={-1} />
        <video className={classes.layer} ref={live} data-testid="live-video" playsInline autoPlay muted aria-label={`Live video of ${name}`} />
        <PlayerOverlay snapshot={snapshot} stream={stream} wasWatching={wasWatching} onConnect={connect} onRetry={retryNow} />
        {hasStatistics && <StatisticsOverlay figures={figures} />}
      </div>
      <PlayerControls
        snapshot={snapshot}
        latencyMs={figures?.estimatedLatencyMs ?? null}
        hasStatistics={hasStatistics}
        onToggle={toggle}
        onSound={setSound}
        onStatistics={toggleStatistics}
        onPictureInPicture={document.pictureInPictureEnabled ? togglePictureInPicture : null}
        onFullscreen={toggleFullscreen}
      />
    </section>
  );
}
