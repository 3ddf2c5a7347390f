// The playback speed of a recording.
import { Menu, Tooltip, UnstyledButton } from '@mantine/core';
import { IconCheck } from '@tabler/icons-react';
import { useFullscreenTarget } from '../widgets/useFullscreenTarget';
import { FASTEST_WITH_SOUND, SPEEDS, type Speed } from '../players/historyState';
import classes from './Player.module.css';

export function SpeedMenu({ speed, onSpeed }: { speed: Speed; onSpeed: (speed: Speed) => void }) {
  return (
    <Menu position="top" width={150} portalProps={useFullscreenTarget()}>
      <Menu.Target>
        <Tooltip label="Speed (+ and −)">
          <UnstyledButton
            className={classes.speed}
            aria-label={`Playback speed: ${speed}×`}
            data-fast={speed !== 1 || undefined}
          >
            {speed}×
          </UnstyledButton>
        </Tooltip>
      </Menu.Target>
      <Menu.Dropdown>
        {SPEEDS.map((one) => (
          <Menu.Item
            key={one}
            onClick={() => onSpeed(one)}
            aria-current={one === speed}
            rightSection={one === speed ? <IconCheck size={16} /> : null}
          >
            {one}×{one > FASTEST_WITH_SOUND ? ', no sound' : ''}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
