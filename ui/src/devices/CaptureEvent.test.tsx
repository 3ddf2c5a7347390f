// Entries of a history: the badge names the kind, and the text beside it does not repeat it.
import { render, screen } from '@testing-library/react';
import { MemoryRouter } from 'react-router';
import { expect, it } from 'vitest';
import type { DeviceEvent } from '../api/types';
import { CaptureEvent } from './CaptureEvent';

const show = (event: Partial<DeviceEvent>) =>
  render(
    <MemoryRouter>
      <CaptureEvent event={event as DeviceEvent} />
    </MemoryRouter>,
  );

it('a kind without more to say is named once', () => {
  show({ kind: 'motion' });
  expect(screen.getAllByText(/motion/i).map((part) => part.textContent)).toEqual(['Motion']);
});

it('what there is to say stands beside the badge', () => {
  show({ kind: 'detection', label: 'person', zone: 'Yard', by_name: 'eyes' });
  expect(screen.getByText('Detection')).toBeInTheDocument();
  expect(screen.getByText('Person in Yard. · eyes')).toBeInTheDocument();
});
