// The bar below the picture: watch or leave, sound, statistics, picture-in-picture, full screen.
import { ActionIcon, Slider, Tooltip } from '@mantine/core';
import {
  IconChartHistogram,
  IconMaximize,
  IconPictureInPicture,
  IconPlayerPlay,
  IconPlayerStop,
  IconVolume,
  IconVolumeOff,
} from '@tabler/icons-react';
import type { ReactNode } from 'react';
import type { PlayerSnapshot } from '../players/playerState';
import classes from './Player.module.css';

interface PlayerControlsProps {
  snapshot: PlayerSnapshot;
  latencyMs: number | null;
  hasStatistics: boolean;
  onToggle: () => void;
  onSound: (isMuted: boolean, volume: number) => void;
  onStatistics: () => void;
  onPictureInPicture: (() => void) | null;
  onFullscreen: () => void;
}

const STATUS_WORDS: Record<PlayerSnapshot['state'], string> = {
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
  const isSilent = isMuted || volume === 0;

  const button = (label: string, key: string | null, icon: ReactNode, onClick: () => void, isPressed?: boolean, isDisabled = false) => (
    <Tooltip label={key ? `${label} (${key})` : label}>
      <ActionIcon
        variant="transparent"
        size={36}
        className={classes.button}
        aria-label={label}
        aria-pressed={isPressed}
        aria-keyshortcuts={key ?? undefined}
        disabled={isDisabled}
        style={isDisabled ? { background: 'transparent', opacity: 0.35 } : undefined}
        onClick={onClick}
      >
        {icon}
      </ActionIcon>
    </Tooltip>
  );

  return (
    <div className={classes.bar} role="group" aria-label="Player controls">
      {isConnected
        ? button('Disconnect', 'Space', <IconPlayerStop size={20} stroke={1.7} />, props.onToggle)
        : button('Connect', 'Space', <IconPlayerPlay size={20} stroke={1.7} />, props.onToggle)}
      <div className={classes.status} aria-live="polite">
        <span className={state === 'live' ? classes.live : undefined}>{STATUS_WORDS[state]}</span>
        {state === 'live' && latencyMs !== null && (
          <span aria-hidden>
            {Math.round(latencyMs)} ms<span className={classes.spare}> estimated</span>
          </span>
        )}
      </div>
      {button(
        hasAudio || !isConnected ? (isSilent ? 'Unmute' : 'Mute') : 'This camera sends no sound',
        'M',
        isSilent ? <IconVolumeOff size={20} stroke={1.7} /> : <IconVolume size={20} stroke={1.7} />,
        () => onSound(!isSilent, volume === 0 ? 1 : volume),
        undefined,
        isConnected && !hasAudio,
      )}
      <Slider
        className={classes.volume}
        aria-label="Volume"
        thumbLabel="Volume"
        size="xs"
        color="#7ef0d4"
        styles={{ track: { '--slider-track-bg': '#2b3944' }, thumb: { borderColor: '#7ef0d4' } }}
        label={null}
        disabled={isConnected && !hasAudio}
        value={isSilent ? 0 : Math.round(volume * 100)}
        onChange={(value) => onSound(value === 0, value / 100)}
      />
      {button('Statistics', 'S', <IconChartHistogram size={20} stroke={1.7} />, props.onStatistics, props.hasStatistics)}
      {props.onPictureInPicture &&
        button('Picture in picture', null, <IconPictureInPicture size={20} stroke={1.7} />, props.onPictureInPicture, undefined, state !== 'live')}
      {button('Full screen', 'F', <IconMaximize size={20} stroke={1.7} />, props.onFullscreen)}
    </div>
  );
}
