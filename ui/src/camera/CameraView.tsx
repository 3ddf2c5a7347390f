// One camera, live or at any moment of its recordings: the player, its timeline, and the actions on a marked range.
import { useCallback, useEffect, useRef, useState } from 'react';
import { laterDialog } from '../frame/later';
import type { Stream } from '../api/types';
import { useHistoryPlayer } from './useHistoryPlayer';
import { useMomentInAddress } from './useMomentInAddress';
import { useRecording } from '../recordings/useRecording';
import type { LiveStats } from '../players/receiverStatistics';
import type { TimelineData, TimeRange } from '../timeline/model';
import { useShownZone } from '../widgets/useShownZone';
import { gapAt, placeAt } from '../timeline/labels';
import { CameraTimeline } from './CameraTimeline';
import { Player } from './Player';
import { RangePanel } from './RangePanel';

const JumpToTime = laterDialog(() => import('./JumpToTime').then((module) => module.JumpToTime));

interface CameraViewProps {
  deviceId: string;
  name: string;
  stream: Stream | undefined;
  isAutoplay: boolean;
  onStatistics: (statistics: LiveStats | null) => void;
}

/** During playback the address is updated this often, so that a reload continues near the same moment. */
const ADDRESS_INTERVAL_MS = 10_000;
const SECONDS_AGO = 30;

export function CameraView({ deviceId, name, stream, isAutoplay, onStatistics }: CameraViewProps) {
  const { momentMs: addressMs, keep } = useMomentInAddress();
  const history = useHistoryPlayer(deviceId);
  const { player } = history;
  const [isRecorded, setRecorded] = useState(addressMs !== null);
  const [marked, setMarked] = useState<TimeRange | null>(null);
  const [jumpFrom, setJumpFrom] = useState<number | null>(null);
  const desiredMs = useRef(addressMs);
  const keptMs = useRef(addressMs);
  const timeline = useRef<TimelineData | null>(null);
  const recording = useRecording(deviceId).data?.recording;
  const timeZone = useShownZone(recording?.time_zone);
  const oldestMs = recording?.oldest ? Date.parse(recording.oldest) : null;

  const keepMoment = useCallback(
    (ms: number | null) => {
      keptMs.current = ms === null ? null : Math.floor(ms / 1000) * 1000;
      keep(ms);
    },
    [keep],
  );
  const watchAt = useCallback(
    (ms: number) => {
      desiredMs.current = ms;
      keepMoment(ms);
      setRecorded(true);
      // Does nothing without a video element: onReady seeks once there is one.
      player.seek(ms);
    },
    [player, keepMoment],
  );
  const goLive = useCallback(() => {
    desiredMs.current = null;
    setRecorded(false);
    keepMoment(null);
  }, [keepMoment]);
  const watchRecorded = useCallback((secondsAgo: number) => watchAt(Date.now() - secondsAgo * 1000), [watchAt]);
  const seekDesired = useCallback(() => {
    if (desiredMs.current !== null) player.seek(desiredMs.current);
  }, [player]);

  // An address that another part changed (the back button, a link on this page) is a request as well.
  useEffect(() => {
    if (addressMs === keptMs.current) return;
    keptMs.current = addressMs;
    desiredMs.current = addressMs;
    setRecorded(addressMs !== null);
    if (addressMs !== null) player.seek(addressMs);
  }, [addressMs, player]);

  const isPlaying = isRecorded && history.snapshot.state === 'playing';
  const isPaused = isRecorded && history.snapshot.state === 'paused';
  useEffect(() => {
    const follow = () => {
      const ms = player.getMoment();
      if (ms === null) return;
      desiredMs.current = ms;
      keepMoment(ms);
    };
    if (isPaused) follow();
    if (!isPlaying) return undefined;
    const timer = setInterval(follow, ADDRESS_INTERVAL_MS);
    return () => clearInterval(timer);
  }, [player, isPlaying, isPaused, keepMoment]);

  const mark = useCallback(
    (edge: 'start' | 'end' | null) => {
      if (edge === null) {
        setMarked(null);
        return;
      }
      const at = Math.round(player.getMoment() ?? Date.now());
      setMarked((current) => markEdge(current, edge, at));
    },
    [player],
  );
  const openJump = useCallback(() => setJumpFrom(player.getMoment() ?? Date.now()), [player]);
  const reasonAt = useCallback(
    (ms: number) => (timeline.current ? (gapAt(timeline.current, ms, Date.now())?.reason ?? null) : null),
    [],
  );
  const isAwayAt = useCallback(
    (ms: number) => timeline.current !== null && placeAt(timeline.current, ms)?.where === 'archive',
    [],
  );
  const keepTimeline = useCallback((data: TimelineData) => {
    timeline.current = data;
  }, []);

  return (
    <>
      <Player
        deviceId={deviceId}
        name={name}
        stream={stream}
        isAutoplay={isAutoplay}
        onStatistics={onStatistics}
        history={history}
        isRecorded={isRecorded}
        timeZone={timeZone}
        reasonAt={reasonAt}
        isAwayAt={isAwayAt}
        oldestMs={oldestMs}
        isMarked={marked !== null}
        onReady={seekDesired}
        onLive={goLive}
        onRecorded={watchRecorded}
        onJump={openJump}
        onSeek={watchAt}
        onMark={mark}
      >
        <CameraTimeline
          deviceId={deviceId}
          name={name}
          recording={recording}
          timeZone={timeZone}
          player={player}
          isRecorded={isRecorded}
          startAtMs={addressMs}
          marked={marked}
          onMarked={setMarked}
          onMark={mark}
          onSeek={watchAt}
          onLive={goLive}
          onRecorded={() => watchRecorded(SECONDS_AGO)}
          onData={keepTimeline}
        />
      </Player>
      <RangePanel
        deviceId={deviceId}
        timeZone={timeZone}
        hasFootage={recording ? oldestMs !== null : true}
        isMarked={marked !== null}
        onMark={mark}
      />
      <JumpToTime
        isOpen={jumpFrom !== null}
        timeZone={timeZone}
        momentMs={jumpFrom ?? 0}
        oldestMs={oldestMs}
        onJump={watchAt}
        onClose={() => setJumpFrom(null)}
      />
    </>
  );
}

const FIRST_RANGE_MS = 60_000;

/** Moves one end of a range to a moment; without another end, or with one on the wrong side, a minute is marked. */
export function markEdge(current: TimeRange | null, edge: 'start' | 'end', atMs: number): TimeRange {
  if (edge === 'start') {
    const endMs = current && current.endMs > atMs ? current.endMs : atMs + FIRST_RANGE_MS;
    return { startMs: atMs, endMs: Math.max(atMs + 1_000, Math.min(endMs, Math.max(Date.now(), atMs + 1_000))) };
  }
  return { startMs: current && current.startMs < atMs ? current.startMs : atMs - FIRST_RANGE_MS, endMs: atMs };
}
