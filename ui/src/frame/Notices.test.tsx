// Notifications are visible on the page and in a full-screen player.
import { MantineProvider } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { act, render, screen } from '@testing-library/react';
import { afterEach, expect, test } from 'vitest';
import { Notices } from './Notices';

let full: Element | null = null;
Object.defineProperty(document, 'fullscreenElement', { configurable: true, get: () => full });

const fill = (element: Element | null) =>
  act(() => {
    full = element;
    document.dispatchEvent(new Event('fullscreenchange'));
  });

afterEach(() => {
  notifications.clean();
  full = null;
});

test('notifications move into the full-screen player and back', async () => {
  render(
    <MantineProvider>
      <div data-testid="player" />
      <Notices />
    </MantineProvider>,
  );
  act(() => void notifications.show({ message: 'The snapshot was deleted.', autoClose: false }));
  const player = screen.getByTestId('player');
  expect(player).not.toContainElement(await screen.findByText('The snapshot was deleted.'));
  fill(player);
  expect(player).toContainElement(await screen.findByText('The snapshot was deleted.'));
  fill(null);
  expect(player).not.toContainElement(await screen.findByText('The snapshot was deleted.'));
});
