// The list of the player's keyboard shortcuts.
import { Kbd, Modal, Table } from '@mantine/core';
import { useFullscreenTarget } from '../widgets/useFullscreenTarget';

const KEYS: [string[], string][] = [
  [['Space'], 'Play or pause; live: connect or disconnect'],
  [['←', '→'], 'Back or forward 10 seconds; with Shift: 1 minute'],
  [[',', '.'], 'Previous or next frame'],
  [['+', '−'], 'Faster or slower'],
  [['J'], 'Jump to a time'],
  [['P', 'N'], 'Previous or next event of motion or objects'],
  [['I', 'O'], 'Mark the start or the end of a range'],
  [['Esc'], 'Clear the marked range'],
  [['L'], 'Switch to live'],
  [['R'], 'Play the recording from 30 seconds ago'],
  [['M'], 'Mute or unmute'],
  [['F'], 'Full screen'],
  [['S'], 'Take a snapshot of the current frame'],
  [['B'], 'Add a bookmark with a clip'],
  [['T'], 'Statistics of the live video'],
  [['?'], 'This list'],
];

export function PlayerHelp({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  return (
    <Modal
      opened={isOpen}
      onClose={onClose}
      title="Keyboard shortcuts"
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
        On the timeline: arrow keys move in steps of the visible range, + and − zoom, Page Up and Page Down move by a
        page.
      </p>
    </Modal>
  );
}
