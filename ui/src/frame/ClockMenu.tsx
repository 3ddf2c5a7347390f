// The menu for the clock of all pages: the viewer's own time zone, the camera's, or UTC.
import { ActionIcon, Menu } from '@mantine/core';
import { IconClock } from '@tabler/icons-react';
import { useSyncExternalStore } from 'react';
import { chooseClock, clockChoice, subscribeToClock, type ClockChoice } from '../formatting/shownZone';
import { ownTimeZone } from '../formatting/timeZone';

const LABELS: Record<ClockChoice, string> = { own: 'My time', camera: 'Camera’s time', utc: 'UTC' };

export function ClockMenu() {
  const choice = useSyncExternalStore(subscribeToClock, clockChoice);
  const notes: Record<ClockChoice, string> = {
    own: ownTimeZone().replaceAll('_', ' '),
    camera: 'on the pages of one camera',
    utc: '',
  };
  return (
    <Menu position="bottom-end" width={240}>
      <Menu.Target>
        <ActionIcon
          variant="subtle"
          color={choice === 'own' ? 'gray' : undefined}
          size="lg"
          aria-label={`Clock: ${LABELS[choice]}`}
          title={`Times: ${LABELS[choice]}`}
        >
          <IconClock size={18} stroke={1.7} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>Show times as</Menu.Label>
        {(Object.keys(LABELS) as ClockChoice[]).map((value) => (
          <Menu.RadioItem
            key={value}
            value={value}
            checked={value === choice}
            closeMenuOnClick
            onChange={() => chooseClock(value)}
          >
            {LABELS[value]}
            {notes[value] && (
              <span style={{ display: 'block', fontSize: '0.75rem', color: 'var(--vas-ink-soft)' }}>
                {notes[value]}
              </span>
            )}
          </Menu.RadioItem>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
