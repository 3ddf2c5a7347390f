// The player's keys, for those who ask.
import { Kbd, Modal, Table } from '@mantine/core';
import { useFullscreenTarget } from '../widgets/useFullscreenTarget';

const KEYS: [string[], string][] = [
  [['Space'], 'Play or pause; live: connect or disconnect'],
  [['←', '→'], 'Ten seconds back or on; with Shift a minute'],
  [[',', '.'], 'One frame back or on'],
  [['+', '−'], 'Faster or slower'],
  [['J'], 'Jump to a time'],
  [['I', 'O'], 'Mark the beginning or the end of a range'],
  [['Esc'], 'Forget the marked range'],
  [['L'], 'Live'],
  [['R'], 'Recorded, from half a minute ago'],
  [['M'], 'Sound on or off'],
  [['F'], 'Full screen'],
  [['S'], 'Snapshot of what is on the screen'],
  [['B'], 'Bookmark with a clip of the seconds around it'],
  [['T'], 'Statistics of the live picture'],
  [['?'], 'This list'],
];

export function PlayerHelp({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  return (
    <Modal
      opened={isOpen}
      onClose={onClose}
      title="Keys of the player"
      centered
      size="md"
      portalProps={useFullscreenTarget()}
    >
      <Table withRowBorders={false} verticalSpacing={5} horizontalSpacing={0}>
        <Table.Tbody>
          {KEYS.map(([keys, description]) => (
            <Table.Tr key={description}>
              <Table.Td w={110}>
                {keys.map((key) => (
                  <Kbd key={key} mr={4}>
                    {key}
                  </Kbd>
                ))}
              </Table.Td>
              <Table.Td>{description}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      <p style={{ margin: '0.75rem 0 0', fontSize: '0.875rem', color: 'var(--vas-ink-soft)' }}>
        On the timeline the arrows move by what is in sight, + and − zoom, Page Up and Page Down turn pages.
      </p>
    </Modal>
  );
}
