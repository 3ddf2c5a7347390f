// The controls of live playback: connect and disconnect, sound, statistics, picture in picture, full screen.
import { IconChartHistogram, IconPlayerPlay, IconPlayerStop } from '@tabler/icons-react';
import type { PlayerSnapshot } from '../players/playerState';
import { DisplayControls, type DisplayControlsProps } from './DisplayControls';
import { PlayerButton } from './PlayerButton';
import { SoundControls } from './SoundControls';
import classes from './Player.module.css';

interface PlayerControlsProps extends DisplayControlsProps {
  snapshot: PlayerSnapshot;
  latencyMs: number | null;
  hasStatistics: boolean;
  onToggle: () => void;
  onSound: (isMuted: boolean, volume: number) => void;
  onStatistics: () => void;
}

const STATUS_LABELS: Record<PlayerSnapshot['state'], string> = {
  idle: 'Not connected',
  connecting: 'Connecting',
  preview: 'Connecting',
  live: 'Live',
  waiting: 'Waiting',
  reconnecting: 'Reconnecting',
  failed: 'Not connected',
};

export function PlayerControls(props: PlayerControlsProps) {
  const { snapshot, latencyMs, onSound } = props;
  const { state, isMuted, volume, hasAudio } = snapshot;
  const isConnected = state !== 'idle' && state !== 'failed';
  return (
    <div className={classes.bar} role="group" aria-label="Player controls">
      {isConnected ? (
        <PlayerButton
          label="Disconnect"
          keyName="Space"
          icon={<IconPlayerStop size={20} stroke={1.7} />}
          onClick={props.onToggle}
        />
      ) : (
        <PlayerButton
          label="Connect"
          keyName="Space"
          icon={<IconPlayerPlay size={20} stroke={1.7} />}
          onClick={props.onToggle}
        />
      )}
      <div className={classes.status} aria-live="polite">
        <span className={state === 'live' ? classes.live : undefined}>{STATUS_LABELS[state]}</span>
        {state === 'live' && latencyMs !== null && (
          <span aria-hidden>
            {Math.round(latencyMs)} ms<span className={classes.spare}> estimated</span>
          </span>
        )}
      </div>
      <SoundControls
        isMuted={isMuted}
        volume={volume}
        silence={isConnected && !hasAudio ? 'This camera sends no sound' : null}
        onSound={onSound}
      />
      <PlayerButton
        label="Statistics"
        keyName="T"
        icon={<IconChartHistogram size={20} stroke={1.7} />}
        onClick={props.onStatistics}
        isPressed={props.hasStatistics}
        isSpare
      />
      <DisplayControls
        onPictureInPicture={props.onPictureInPicture}
        onFullscreen={props.onFullscreen}
        tools={props.tools}
        menu={props.menu}
        hasPicture={state === 'live'}
      />
    </div>
  );
}
