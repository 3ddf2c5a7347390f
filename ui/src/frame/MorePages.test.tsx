// What the phone's bar has no room for is below “More”.
import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, test } from 'vitest';
import { renderAt } from '../../test/render';
import { MorePages } from './MorePages';
import { NAVIGATION } from './navigation';

test('the bar has five places at most: the main pages and More', () => {
  expect(NAVIGATION.filter(({ isMain }) => isMain)).toHaveLength(4);
});

test('the sheet has all other pages, marks the present one, and closes when one is chosen', async () => {
  const router = renderAt('/health', [
    { path: '/health', element: <MorePages /> },
    { path: '/bookmarks', element: <MorePages /> },
  ]);
  const more = screen.getByRole('button', { name: 'More' });
  expect(more).toHaveAttribute('data-current', 'true');
  await userEvent.click(more);
  const sheet = await screen.findByRole('dialog');
  const rest = NAVIGATION.filter(({ isMain }) => !isMain).map(({ label }) => label);
  expect(
    within(sheet)
      .getAllByRole('link')
      .map(({ textContent }) => textContent),
  ).toEqual([...rest, 'API']);
  expect(within(sheet).getByRole('link', { name: 'Health' })).toHaveAttribute('aria-current', 'page');
  await userEvent.click(within(sheet).getByRole('link', { name: 'Bookmarks' }));
  expect(router.state.location.pathname).toBe('/bookmarks');
  await waitFor(() => expect(screen.queryByRole('dialog')).not.toBeInTheDocument());
});
