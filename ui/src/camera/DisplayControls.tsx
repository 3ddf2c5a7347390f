// The right end of the controls, the same for live and recorded playback: picture in picture, tools, menu, full screen.
import { IconMaximize, IconPictureInPicture } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { PlayerButton } from './PlayerButton';

export interface DisplayControlsProps {
  /** null where the browser has no picture in picture. */
  onPictureInPicture: (() => void) | null;
  onFullscreen: () => void;
  /** The buttons for snapshots and bookmarks. */
  tools: ReactNode;
  menu: ReactNode;
}

export function DisplayControls(props: DisplayControlsProps & { hasPicture?: boolean }) {
  const { onPictureInPicture, onFullscreen, tools, menu, hasPicture = true } = props;
  return (
    <>
      {onPictureInPicture && (
        <PlayerButton
          label="Picture in picture"
          icon={<IconPictureInPicture size={20} stroke={1.7} />}
          onClick={onPictureInPicture}
          isDisabled={!hasPicture}
          isSpare
        />
      )}
      {tools}
      {menu}
      <PlayerButton
        label="Full screen"
        keyName="F"
        icon={<IconMaximize size={20} stroke={1.7} />}
        onClick={onFullscreen}
      />
    </>
  );
}
