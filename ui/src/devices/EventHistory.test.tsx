// A device's history: states with their reasons; snapshots, bookmarks and clips with links.
import { screen } from '@testing-library/react';
import { afterEach, expect, test, vi } from 'vitest';
import { renderAt } from '../../test/render';
import { StubApi } from '../../test/StubApi';
import { EventHistory } from './EventHistory';

afterEach(() => vi.unstubAllGlobals());

test('states, snapshots and clips are listed together with their texts and links', async () => {
  const common = {
    at: '2026-03-01T12:00:00Z',
    from: null,
    to: null,
    reason: null,
    run: null,
    text: null,
    reference: null,
    by_name: null,
  };
  new StubApi({
    'GET /devices/d1/events': {
      body: [
        { ...common, id: 3, kind: 'clip', text: "the clip of 'Van' is ready", reference: 'b1' },
        { ...common, id: 2, kind: 'snapshot', text: 'a snapshot was taken', reference: 's1', by_name: 'operator' },
        {
          ...common,
          id: 1,
          kind: 'state',
          to: 'failed',
          reason: { code: 'refused', message: 'the camera refuses', remedy: '' },
        },
      ],
    },
  });
  renderAt('/', [{ path: '/', element: <EventHistory deviceId="d1" /> }]);
  expect(await screen.findByRole('link', { name: "The clip of 'Van' is ready." })).toHaveAttribute(
    'href',
    '/bookmarks?bookmark=b1',
  );
  expect(screen.getByRole('link', { name: 'A snapshot was taken.' })).toHaveAttribute('href', '/snapshots?snapshot=s1');
  expect(screen.getByText(/· operator$/)).toBeInTheDocument();
  expect(screen.getByText('Failed')).toBeInTheDocument();
  expect(screen.getByText('The camera refuses.')).toBeInTheDocument();
});
