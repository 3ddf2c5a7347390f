// The menu for the less frequent actions: live transport, link to the moment, keyboard shortcuts.
import { ActionIcon, Menu, Text, Tooltip } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import {
  IconAntenna,
  IconBoxMultiple,
  IconChartHistogram,
  IconCheck,
  IconClock,
  IconDotsVertical,
  IconKeyboard,
  IconLink,
  IconPictureInPicture,
  IconWorld,
} from '@tabler/icons-react';
import { useFullscreenTarget } from '../widgets/useFullscreenTarget';
import type { BoxesControl } from './useBoxes';
import type { LiveTransport } from './useHlsLive';
import classes from './Player.module.css';

interface PlayerMenuProps {
  /** null while a recording is shown. */
  transport: LiveTransport | null;
  onTransport: (transport: LiveTransport) => void;
  /** The address of the moment on the screen. */
  linkOf: () => string;
  onJump: () => void;
  onHelp: () => void;
  onPictureInPicture: (() => void) | null;
  boxes: BoxesControl;
  /** null where no statistics exist. */
  onStatistics: (() => void) | null;
}

async function copy(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    notifications.show({ message: 'The link was copied.' });
  } catch {
    notifications.show({ title: 'The browser does not allow copying here', message: text, autoClose: 20_000 });
  }
}

export function PlayerMenu({
  transport,
  onTransport,
  linkOf,
  onJump,
  onHelp,
  onPictureInPicture,
  boxes,
  onStatistics,
}: PlayerMenuProps) {
  const item = (isCurrent: boolean) => (isCurrent ? <IconCheck size={16} /> : null);
  return (
    <Menu position="top-end" width={250} portalProps={useFullscreenTarget()} onOpen={boxes.ask}>
      <Menu.Target>
        <Tooltip label="More">
          <ActionIcon variant="transparent" size={36} className={classes.button} aria-label="More actions">
            <IconDotsVertical size={20} stroke={1.7} />
          </ActionIcon>
        </Tooltip>
      </Menu.Target>
      <Menu.Dropdown>
        {transport !== null && (
          <>
            <Menu.Label>Live transport</Menu.Label>
            <Menu.Item
              leftSection={<IconAntenna size={16} stroke={1.7} />}
              rightSection={item(transport === 'auto')}
              onClick={() => transport !== 'auto' && onTransport('auto')}
            >
              WebRTC, HLS as fallback
            </Menu.Item>
            <Menu.Item
              leftSection={<IconWorld size={16} stroke={1.7} />}
              rightSection={item(transport === 'hls')}
              onClick={() => transport !== 'hls' && onTransport('hls')}
            >
              HLS: some seconds behind, works behind firewalls
            </Menu.Item>
            <Menu.Divider />
          </>
        )}
        <Menu.Item leftSection={<IconClock size={16} stroke={1.7} />} rightSection="J" onClick={onJump}>
          Jump to a time…
        </Menu.Item>
        <Menu.Item leftSection={<IconLink size={16} stroke={1.7} />} onClick={() => void copy(linkOf())}>
          {transport === null ? 'Copy link to this moment' : 'Copy link'}
        </Menu.Item>
        {boxes.isKnown && (
          <Menu.CheckboxItem
            checked={boxes.isOn}
            checkIcon={<IconCheck size={16} />}
            closeMenuOnClick
            rightSection={<IconBoxMultiple size={16} stroke={1.7} />}
            onChange={boxes.toggle}
          >
            Boxes of objects
            {transport !== null && !boxes.isRunning && (
              <Text size="xs" c="dimmed">
                This camera is not analysed now
              </Text>
            )}
          </Menu.CheckboxItem>
        )}
        {onPictureInPicture && (
          <Menu.Item leftSection={<IconPictureInPicture size={16} stroke={1.7} />} onClick={onPictureInPicture}>
            Picture in picture
          </Menu.Item>
        )}
        {onStatistics && (
          <Menu.Item
            leftSection={<IconChartHistogram size={16} stroke={1.7} />}
            rightSection="T"
            onClick={onStatistics}
          >
            Statistics
          </Menu.Item>
        )}
        <Menu.Item leftSection={<IconKeyboard size={16} stroke={1.7} />} rightSection="?" onClick={onHelp}>
          Keyboard shortcuts
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
