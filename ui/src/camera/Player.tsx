// The player of one camera, live and recorded: picture, overlays, controls, and the timeline below them.
import {
  useCallback,
  useEffect,
  useMemo,
  useRef,
  useState,
  type CSSProperties,
  type MouseEvent,
  type PointerEvent,
  type ReactNode,
} from 'react';
import { later, laterDialog } from '../frame/later';
import type { Stream } from '../api/types';
import { useCapture } from '../snapshots/useCapture';
import type { useHistoryPlayer } from './useHistoryPlayer';
import { useBoxes } from './useBoxes';
import { useLiveStats } from './useLiveStats';
import { useLiveView } from './useLiveView';
import { useRestingBars } from './useRestingBars';
import { usePlayerKeys, type PlayerKeys } from './usePlayerKeys';
import type { FrameTimes } from '../players/BoxPainter';
import { captureTimeOf } from '../players/captureTime';
import { SPEEDS } from '../players/historyState';
import { recallPlayer, recallSound, rememberSound } from '../players/playerMemory';
import type { LiveStats } from '../players/receiverStatistics';
import { BookmarkButton } from './BookmarkButton';
import { CaptureButton } from './CaptureButton';
import { CaptureCards } from '../snapshots/CaptureCards';
import { HistoryControls } from './HistoryControls';
import { HistoryOverlay } from './HistoryOverlay';
import { HlsBadge } from './HlsBadge';
import { PlayerControls } from './PlayerControls';
import { PlayerMenu } from './PlayerMenu';
import { PlayerOverlay } from './PlayerOverlay';
import { PlayerPoster } from './PlayerPoster';
import { LiveStatsOverlay } from './LiveStatsOverlay';
import classes from './Player.module.css';

const BoxesOverlay = later(() => import('./BoxesOverlay').then((module) => module.BoxesOverlay));
const PlayerHelp = laterDialog(() => import('./PlayerHelp').then((module) => module.PlayerHelp));

interface PlayerProps {
  deviceId: string;
  name: string;
  stream: Stream | undefined;
  isAutoplay: boolean;
  onStatistics: (statistics: LiveStats | null) => void;
  history: ReturnType<typeof useHistoryPlayer>;
  isRecorded: boolean;
  timeZone: string;
  reasonAt: (atMs: number) => string | null;
  isAwayAt: (atMs: number) => boolean;
  oldestMs: number | null;
  isMarked: boolean;
  /** Called when the video element for recordings is attached: seeking is possible. */
  onReady: () => void;
  onLive: () => void;
  /** Plays the recording from some seconds before now. */
  onRecorded: (secondsAgo: number) => void;
  onJump: () => void;
  /** Plays the recording at a moment. */
  onSeek: (atMs: number) => void;
  onMark: (edge: 'start' | 'end' | null) => void;
  /** Shown below the controls, also in full screen. */
  children?: ReactNode;
}

const liveMoment = ({ rtpTimestamp }: FrameTimes): number | null =>
  rtpTimestamp === undefined ? null : captureTimeOf(rtpTimestamp, Date.now());

const FRESH_PART_MS = 3_000;
/** Loading is no pause: the bars stay away. */
const MOVING = new Set(['playing', 'buffering', 'loading']);
const OWN_ACTION = 'button, a, input, [role="alert"], [role="dialog"]';

/** Whether a press on the stage means the picture, and not a button on top of it. */
const isPicture = (target: EventTarget): boolean => target instanceof Element && target.closest(OWN_ACTION) === null;

export function Player(props: PlayerProps) {
  const {
    deviceId,
    name,
    stream,
    onStatistics,
    history,
    isRecorded,
    timeZone,
    onReady,
    onLive,
    onRecorded,
    onJump,
    onMark,
  } = props;
  const frame = useRef<HTMLDivElement>(null);
  const live = useRef<HTMLVideoElement>(null);
  const preview = useRef<HTMLVideoElement>(null);
  const freezeFrame = useRef<HTMLCanvasElement>(null);
  const hls = useRef<HTMLVideoElement>(null);
  const recorded = useRef<HTMLVideoElement>(null);
  const recordedFreezeFrame = useRef<HTMLCanvasElement>(null);
  const isFlowing =
    stream === undefined || (stream.observed === 'running' && (stream.last_part_age_ms ?? 0) < FRESH_PART_MS);
  const view = useLiveView(deviceId, {
    elements: { live, preview, freezeFrame },
    hlsVideo: hls,
    isAutoplay: props.isAutoplay && !isRecorded,
    isFlowing,
  });
  const { snapshot, connect, disconnect, leave, rejoin, retryNow, setSound } = view;
  const statistics = useLiveStats(view.player);
  const [hasStatistics, setHasStatistics] = useState(false);
  const [hasHelp, setHelp] = useState(false);
  const [wasWatching] = useState(() => recallPlayer(deviceId).wasWatching);
  const wasRecorded = useRef(isRecorded);
  const past = history.player;
  const capture = useCapture(deviceId);
  const boxes = useBoxes(deviceId);

  useEffect(() => onStatistics(statistics), [statistics, onStatistics]);

  useEffect(() => {
    if (!isRecorded || !recorded.current || !recordedFreezeFrame.current) return undefined;
    const sound = recallSound();
    past.setSound(sound.isMuted, sound.volume);
    const detach = past.attach(recorded.current, recordedFreezeFrame.current);
    onReady();
    return detach;
  }, [past, isRecorded, onReady]);

  useEffect(() => {
    if (isRecorded === wasRecorded.current) return;
    wasRecorded.current = isRecorded;
    if (isRecorded) leave();
    else rejoin();
  }, [isRecorded, leave, rejoin]);

  const { state, isMuted, volume } = snapshot;
  const toggle = useCallback(
    () => (state === 'idle' || state === 'failed' ? connect() : disconnect()),
    [state, connect, disconnect],
  );
  const setRecordedSound = useCallback(
    (muted: boolean, level: number) => {
      rememberSound({ isMuted: muted, volume: level });
      past.setSound(muted, level);
    },
    [past],
  );
  const toggleStatistics = useCallback(() => setHasStatistics((shown) => !shown), []);
  const shownVideo = useCallback(
    () => (isRecorded ? recorded.current : view.isHlsOn ? hls.current : live.current),
    [isRecorded, view.isHlsOn],
  );
  const toggleFullscreen = useCallback(() => {
    if (document.fullscreenElement) void document.exitFullscreen();
    else if (frame.current?.requestFullscreen) frame.current.requestFullscreen().catch(() => {});
    else (shownVideo() as { webkitEnterFullscreen?: () => void } | null)?.webkitEnterFullscreen?.();
  }, [shownVideo]);
  const togglePictureInPicture = useCallback(() => {
    if (document.pictureInPictureElement) document.exitPictureInPicture().catch(() => {});
    else
      shownVideo()
        ?.requestPictureInPicture()
        .catch(() => {});
  }, [shownVideo]);

  const keys = useMemo<PlayerKeys>(() => {
    const shared: PlayerKeys = {
      f: toggleFullscreen,
      j: onJump,
      i: () => onMark('start'),
      o: () => onMark('end'),
      escape: () => onMark(null),
      '?': () => setHelp(true),
    };
    if (!isRecorded) {
      return {
        ...shared,
        ' ': toggle,
        m: () => setSound(!isMuted, volume === 0 ? 1 : volume),
        t: toggleStatistics,
        r: () => onRecorded(30),
        arrowleft: () => onRecorded(15),
        'Shift+arrowleft': () => onRecorded(60),
      };
    }
    const changeSpeed = (by: 1 | -1) => {
      const next = SPEEDS[SPEEDS.indexOf(past.getSnapshot().speed) + by];
      if (next) past.setSpeed(next);
    };
    return {
      ...shared,
      ' ': () => past.toggle(),
      m: () => {
        const sound = past.getSnapshot();
        setRecordedSound(!sound.isMuted, sound.volume === 0 ? 1 : sound.volume);
      },
      l: onLive,
      arrowleft: () => past.skip(-10),
      arrowright: () => past.skip(10),
      'Shift+arrowleft': () => past.skip(-60),
      'Shift+arrowright': () => past.skip(60),
      ',': () => past.step(-1),
      '.': () => past.step(1),
      '+': () => changeSpeed(1),
      '=': () => changeSpeed(1),
      '-': () => changeSpeed(-1),
    };
  }, [
    isRecorded,
    past,
    toggle,
    toggleFullscreen,
    toggleStatistics,
    setSound,
    setRecordedSound,
    isMuted,
    volume,
    onJump,
    onMark,
    onLive,
    onRecorded,
  ]);
  usePlayerKeys(keys);
  const isMoving = isRecorded ? MOVING.has(history.snapshot.state) : state === 'live';
  useRestingBars(frame, !isMoving);
  const wasResting = useRef(false);
  // A tap that brings the bars back does nothing else.
  const notePress = (event: PointerEvent) => {
    wasResting.current = event.pointerType !== 'mouse' && frame.current?.dataset.resting === 'true';
  };
  const pressPicture = (event: MouseEvent) => {
    if (!isPicture(event.target) || wasResting.current || event.detail > 1) return;
    if (isRecorded) past.toggle();
    else if (state === 'idle' || state === 'failed') connect();
  };

  const linkOf = useCallback(() => {
    const momentMs = past.getMoment();
    const query = isRecorded && momentMs !== null ? `?t=${encodeURIComponent(new Date(momentMs).toISOString())}` : '';
    return `${window.location.origin}/devices/${deviceId}${query}`;
  }, [past, isRecorded, deviceId]);
  const { hlsMomentOf } = view;
  const recordedMoment = useCallback((frame: FrameTimes) => past.momentOf(frame.mediaTime), [past]);
  const hlsMoment = useCallback((frame: FrameTimes) => hlsMomentOf(frame.mediaTime), [hlsMomentOf]);
  const momentOf = useCallback(() => (isRecorded ? past.getMoment() : null), [past, isRecorded]);
  const pictureInPicture = document.pictureInPictureEnabled ? togglePictureInPicture : null;
  const menu = (
    <PlayerMenu
      transport={isRecorded ? null : view.transport}
      onTransport={view.chooseTransport}
      linkOf={linkOf}
      onJump={onJump}
      onHelp={() => setHelp(true)}
      onPictureInPicture={pictureInPicture}
      boxes={boxes}
      onStatistics={isRecorded ? null : toggleStatistics}
    />
  );
  const tools = (
    <>
      <CaptureButton capture={capture} isRecorded={isRecorded} momentOf={momentOf} />
      <BookmarkButton
        deviceId={deviceId}
        timeZone={timeZone}
        momentOf={momentOf}
        behindSeconds={view.hls?.latencySeconds ?? null}
      />
    </>
  );

  const { width, height } = stream?.video ?? {};
  const aspect = width && height ? `${width} / ${height}` : undefined;
  return (
    <section
      className={classes.player}
      data-portrait={(width && height && height > width) || undefined}
      data-moving={isMoving || undefined}
      data-marked={props.isMarked || undefined}
      ref={frame}
      aria-label={`${isRecorded ? 'Recorded' : 'Live'} picture of ${name}`}
    >
      <div
        className={classes.stage}
        style={{ '--aspect': aspect } as CSSProperties}
        data-testid="stage"
        onPointerDown={notePress}
        onClick={pressPicture}
        onDoubleClick={(event) => isPicture(event.target) && toggleFullscreen()}
      >
        {!isRecorded && snapshot.state !== 'live' && (
          <PlayerPoster deviceId={deviceId} name={name} timeZone={timeZone} isIdle={state === 'idle'} />
        )}
        <canvas className={classes.layer} ref={freezeFrame} hidden />
        <video
          className={classes.layer}
          ref={preview}
          data-testid="preview-video"
          muted
          playsInline
          aria-hidden
          tabIndex={-1}
        />
        <video
          className={classes.layer}
          ref={live}
          data-testid="live-video"
          playsInline
          autoPlay
          muted
          aria-label={`Live video of ${name}`}
        />
        <video
          className={classes.layer}
          ref={hls}
          data-testid="hls-video"
          playsInline
          muted
          hidden={!view.isHlsOn}
          aria-label={`Live video of ${name} over HLS`}
        />
        {isRecorded ? (
          <>
            <video
              className={classes.layer}
              ref={recorded}
              data-testid="recorded-video"
              playsInline
              aria-label={`Recorded video of ${name}`}
            />
            <canvas className={classes.layer} ref={recordedFreezeFrame} hidden />
            {boxes.isOn && <BoxesOverlay deviceId={deviceId} video={recorded} isRecorded momentOf={recordedMoment} />}
            <HistoryOverlay
              player={past}
              snapshot={history.snapshot}
              timeZone={timeZone}
              reasonAt={props.reasonAt}
              isAwayAt={props.isAwayAt}
              oldestMs={props.oldestMs}
              onLive={onLive}
            />
          </>
        ) : (
          <>
            {boxes.isOn && state === 'live' && (
              <BoxesOverlay
                deviceId={deviceId}
                video={view.isHlsOn ? hls : live}
                isRecorded={false}
                momentOf={view.isHlsOn ? hlsMoment : liveMoment}
              />
            )}
            <PlayerOverlay
              snapshot={snapshot}
              stream={stream}
              wasWatching={wasWatching}
              onConnect={connect}
              onRetry={retryNow}
            />
            {view.hls && (
              <HlsBadge latencySeconds={view.hls.latencySeconds} onRetry={view.hls.isFallback ? retryNow : null} />
            )}
            {hasStatistics && <LiveStatsOverlay statistics={statistics} />}
          </>
        )}
        <CaptureCards capture={capture} timeZone={timeZone} onSeek={props.onSeek} />
      </div>
      <div className={classes.chrome}>
        {isRecorded ? (
          <HistoryControls
            player={past}
            snapshot={history.snapshot}
            timeZone={timeZone}
            onSound={setRecordedSound}
            onJump={onJump}
            onPictureInPicture={pictureInPicture}
            onFullscreen={toggleFullscreen}
            tools={tools}
            menu={menu}
          />
        ) : (
          <PlayerControls
            snapshot={snapshot}
            latencyMs={view.hls ? null : (statistics?.estimatedLatencyMs ?? null)}
            hasStatistics={hasStatistics}
            onToggle={toggle}
            onSound={setSound}
            onStatistics={toggleStatistics}
            onPictureInPicture={pictureInPicture}
            onFullscreen={toggleFullscreen}
            tools={tools}
            menu={menu}
          />
        )}
        {props.children && <div className={classes.strip}>{props.children}</div>}
      </div>
      <PlayerHelp isOpen={hasHelp} onClose={() => setHelp(false)} />
    </section>
  );
}
