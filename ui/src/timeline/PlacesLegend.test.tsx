// The legend of the places of footage: only what is shown, nothing without an archive.
import { render, screen } from '@testing-library/react';
import { expect, test } from 'vitest';
import { formatWhere } from './labels';
import { NO_TIMELINE } from './model';
import { PlacesLegend } from './PlacesLegend';

test('the places that are shown are explained', () => {
  render(
    <PlacesLegend
      places={[
        { startMs: 0, endMs: 1, where: 'archive' },
        { startMs: 1, endMs: 2, where: 'local' },
      ]}
    />,
  );
  expect(screen.getByRole('list', { name: 'Where the footage lies' })).toHaveTextContent(/^ ?in the archive$/);
});

test('without an archive there is no legend', () => {
  const { container } = render(<PlacesLegend places={[]} />);
  expect(container).toBeEmptyDOMElement();
});

test('the label names the place of footage, and none where nothing is recorded', () => {
  const data = {
    ...NO_TIMELINE,
    spans: [{ startMs: 0, endMs: 50, coverage: 1 }],
    places: [{ startMs: 0, endMs: 100, where: 'waiting' as const }],
  };
  expect(formatWhere(data, 20)).toBe('On the local disk, waiting for the archive');
  expect(formatWhere(data, 60)).toBeNull();
  expect(formatWhere(NO_TIMELINE, 20)).toBeNull();
});
