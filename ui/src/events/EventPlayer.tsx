// The recording of an event, from some seconds before it: over its picture until there is a frame, and where nothing is recorded.
import {
  IconPhotoOff,
  IconPlayerPauseFilled,
  IconPlayerPlayFilled,
  IconRepeat,
  IconRewindBackward10,
  IconRewindForward10,
} from '@tabler/icons-react';
import { useEffect, useRef, useState } from 'react';
import { useNavigate } from 'react-router';
import { EVENT_PRE_ROLL_MS } from '../addresses/recordingAddresses';
import { eventPictureUrl, type CameraEvent } from '../api/events';
import { HistoryOverlay } from '../camera/HistoryOverlay';
import { PlayerButton } from '../camera/PlayerButton';
import { ShownMoment } from '../camera/ShownMoment';
import { useHistoryPlayer } from '../camera/useHistoryPlayer';
import { recallSound } from '../players/playerMemory';
import { eventName } from '../formatting/eventTexts';
import classes from './EventView.module.css';

interface EventPlayerProps {
  event: CameraEvent;
  deviceId: string;
  camera: string;
  timeZone: string;
}

/** Footage that is further away from the event does not show it. */
const NEAR_MS = 30_000;
const SHOWN = ['playing', 'paused', 'ended'];
const MOVING = ['playing', 'buffering', 'loading', 'retrying'];
const NO_REASON = () => null;
const NEVER_AWAY = () => false;

export function EventPlayer({ event, deviceId, camera, timeZone }: EventPlayerProps) {
  const { player, snapshot } = useHistoryPlayer(deviceId);
  const navigate = useNavigate();
  const video = useRef<HTMLVideoElement>(null);
  const freezeFrame = useRef<HTMLCanvasElement>(null);
  const stage = useRef<HTMLDivElement>(null);
  const [hasFrame, setHasFrame] = useState(false);
  const [isElsewhere, setElsewhere] = useState(false);
  const [isBroken, setBroken] = useState(false);
  const { state, cause } = snapshot;
  const startMs = Date.parse(event.start);
  const endMs = event.end === null ? null : Date.parse(event.end);
  if (!hasFrame && SHOWN.includes(state)) {
    setHasFrame(true);
    // In a gap the player goes to the nearest footage.
    const shownMs = player.getMoment() ?? startMs;
    setElsewhere(
      shownMs < startMs - EVENT_PRE_ROLL_MS - NEAR_MS ||
        (endMs !== null && shownMs > Math.max(startMs, endMs) + NEAR_MS),
    );
  }
  useEffect(() => {
    if (isElsewhere) player.close();
  }, [player, isElsewhere]);

  useEffect(() => {
    if (!video.current || !freezeFrame.current) return undefined;
    const sound = recallSound();
    player.setSound(sound.isMuted, sound.volume);
    const detach = player.attach(video.current, freezeFrame.current);
    player.seek(startMs - EVENT_PRE_ROLL_MS);
    return detach;
  }, [player, startMs]);

  useEffect(() => {
    const press = (key: KeyboardEvent) => {
      if (key.key !== ' ' || key.defaultPrevented || key.repeat) return;
      if (isElsewhere || (key.target instanceof HTMLElement && key.target.closest('button, a, input'))) return;
      key.preventDefault();
      player.toggle();
    };
    document.addEventListener('keydown', press);
    return () => document.removeEventListener('keydown', press);
  }, [player, isElsewhere]);

  const isMissing = isElsewhere || (state === 'failed' && cause?.kind === 'no_footage');
  const isMoving = MOVING.includes(state);
  const picture = event.snapshot_id !== null && !isBroken ? eventPictureUrl(event.snapshot_id, 1280) : null;
  return (
    <>
      <div ref={stage} className={classes.stage} onClick={() => !isMissing && hasFrame && player.toggle()}>
        {/* Below the video, which covers it from the first frame on. */}
        {picture ? (
          <img
            className={classes.picture}
            src={picture}
            alt={`${eventName(event)} at ${camera}`}
            hidden={hasFrame && !isMissing}
            data-testid="event-picture"
            onError={() => setBroken(true)}
          />
        ) : (
          !hasFrame && <IconPhotoOff className={classes.none} size={40} stroke={1.2} aria-hidden />
        )}
        <video
          ref={video}
          className={classes.video}
          data-testid="event-video"
          playsInline
          hidden={isMissing}
          aria-label={`Recorded video of ${camera}`}
        />
        <canvas ref={freezeFrame} className={classes.video} hidden />
        {isMissing ? (
          <div className={classes.missing} role="status">
            {picture
              ? 'Nothing was recorded at this time: only the picture is there'
              : 'Nothing was recorded at this time'}
          </div>
        ) : (
          <HistoryOverlay
            player={player}
            snapshot={snapshot}
            timeZone={timeZone}
            reasonAt={NO_REASON}
            oldestMs={null}
            isAwayAt={NEVER_AWAY}
            onLive={() => void navigate(`/devices/${deviceId}?autoplay=1`)}
          />
        )}
      </div>
      {!isMissing && (
        <div className={classes.bar} role="group" aria-label="Player controls">
          <PlayerButton
            label={isMoving ? 'Pause' : 'Play'}
            keyName="Space"
            icon={isMoving ? <IconPlayerPauseFilled size={20} /> : <IconPlayerPlayFilled size={20} />}
            onClick={() => player.toggle()}
          />
          <PlayerButton
            label="Play the event again"
            icon={<IconRepeat size={20} stroke={1.7} />}
            onClick={() => player.seek(startMs - EVENT_PRE_ROLL_MS)}
          />
          <PlayerButton
            label="Back 10 seconds"
            icon={<IconRewindBackward10 size={20} stroke={1.7} />}
            onClick={() => player.skip(-10)}
          />
          <PlayerButton
            label="Forward 10 seconds"
            icon={<IconRewindForward10 size={20} stroke={1.7} />}
            onClick={() => player.skip(10)}
          />
          <span className={classes.moment}>
            <ShownMoment player={player} timeZone={timeZone} />
          </span>
        </div>
      )}
    </>
  );
}
