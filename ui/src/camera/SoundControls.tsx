// Mute button and volume slider of the player controls.
import { Slider } from '@mantine/core';
import { IconVolume, IconVolumeOff } from '@tabler/icons-react';
import { PlayerButton } from './PlayerButton';
import classes from './Player.module.css';

interface SoundControlsProps {
  isMuted: boolean;
  volume: number;
  /** The reason for silence; null when sound is possible. */
  silence: string | null;
  onSound: (isMuted: boolean, volume: number) => void;
}

export function SoundControls({ isMuted, volume, silence, onSound }: SoundControlsProps) {
  const isSilent = isMuted || volume === 0;
  return (
    <>
      <PlayerButton
        label={silence ?? (isSilent ? 'Unmute' : 'Mute')}
        keyName="M"
        icon={isSilent || silence ? <IconVolumeOff size={20} stroke={1.7} /> : <IconVolume size={20} stroke={1.7} />}
        onClick={() => onSound(!isSilent, volume === 0 ? 1 : volume)}
        isDisabled={silence !== null}
      />
      <Slider
        className={classes.volume}
        thumbLabel="Volume"
        size="xs"
        thumbSize={16}
        color="#7ef0d4"
        styles={{ track: { '--slider-track-bg': '#2b3944' }, thumb: { borderColor: '#7ef0d4' } }}
        label={null}
        disabled={silence !== null}
        value={isSilent ? 0 : Math.round(volume * 100)}
        onChange={(value) => onSound(value === 0, value / 100)}
      />
    </>
  );
}
