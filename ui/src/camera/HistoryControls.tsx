// The controls of recorded playback: play, skip ten seconds, step one frame, the moment, speed, sound, full screen.
import { UnstyledButton } from '@mantine/core';
import {
  IconPlayerPauseFilled,
  IconPlayerPlayFilled,
  IconPlayerSkipBack,
  IconPlayerSkipForward,
  IconRewindBackward10,
  IconRewindForward10,
} from '@tabler/icons-react';
import type { HistoryPlayer } from '../players/HistoryPlayer';
import { FASTEST_WITH_SOUND, type HistorySnapshot } from '../players/historyState';
import { DisplayControls, type DisplayControlsProps } from './DisplayControls';
import { PlayerButton } from './PlayerButton';
import { ShownMoment } from './ShownMoment';
import { SoundControls } from './SoundControls';
import { SpeedMenu } from './SpeedMenu';
import classes from './Player.module.css';

interface HistoryControlsProps extends DisplayControlsProps {
  player: HistoryPlayer;
  snapshot: HistorySnapshot;
  timeZone: string;
  onSound: (isMuted: boolean, volume: number) => void;
  onJump: () => void;
}

function silenceOf({ speed, hasAudio, state }: HistorySnapshot): string | null {
  if (speed > FASTEST_WITH_SOUND) return `No sound at ${speed}×`;
  const isKnown = state === 'playing' || state === 'paused';
  return isKnown && !hasAudio ? 'This recording has no sound' : null;
}

export function HistoryControls(props: HistoryControlsProps) {
  const { player, snapshot } = props;
  const isMoving = ['playing', 'buffering', 'loading', 'retrying'].includes(snapshot.state);
  return (
    <div className={`${classes.bar} ${classes.wraps}`} role="group" aria-label="Player controls">
      <PlayerButton
        label={isMoving ? 'Pause' : 'Play'}
        keyName="Space"
        icon={isMoving ? <IconPlayerPauseFilled size={20} /> : <IconPlayerPlayFilled size={20} />}
        onClick={() => player.toggle()}
      />
      <PlayerButton
        label="Back 10 seconds"
        keyName="←"
        icon={<IconRewindBackward10 size={20} stroke={1.7} />}
        step={-10}
        onClick={() => player.skip(-10)}
      />
      <PlayerButton
        label="Forward 10 seconds"
        keyName="→"
        icon={<IconRewindForward10 size={20} stroke={1.7} />}
        step={10}
        onClick={() => player.skip(10)}
      />
      <PlayerButton
        label="Previous frame"
        keyName=","
        icon={<IconPlayerSkipBack size={18} stroke={1.7} />}
        step={-1}
        onClick={() => player.step(-1)}
      />
      <PlayerButton
        label="Next frame"
        keyName="."
        icon={<IconPlayerSkipForward size={18} stroke={1.7} />}
        step={1}
        onClick={() => player.step(1)}
      />
      <div className={classes.moment}>
        <UnstyledButton className={classes.jump} onClick={props.onJump} aria-keyshortcuts="J">
          <span className="visually-hidden">Jump to a time, now at </span>
          <ShownMoment player={player} timeZone={props.timeZone} />
        </UnstyledButton>
      </div>
      <SpeedMenu speed={snapshot.speed} onSpeed={(speed) => player.setSpeed(speed)} />
      <SoundControls
        isMuted={snapshot.isMuted}
        volume={snapshot.volume}
        silence={silenceOf(snapshot)}
        onSound={props.onSound}
      />
      <DisplayControls
        onPictureInPicture={props.onPictureInPicture}
        onFullscreen={props.onFullscreen}
        tools={props.tools}
        menu={props.menu}
      />
    </div>
  );
}
