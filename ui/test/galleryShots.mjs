// Screenshots of snapshots: the gallery with none, one and many, its full view, selection, and captures in the player.
import { cameraAddress, cameraId, playing } from './shotSteps.mjs';

const openTile = (number) => async (page) => {
  await page.getByTestId('snapshot-tile').nth(number).getByRole('button').first().click();
  await page.getByTestId('snapshot-image').waitFor();
  await page.waitForTimeout(400);
};
const capture = async (page) => {
  await page.keyboard.press('s');
  await page.waitForTimeout(900);
};

export const GALLERY_PAGES = [
  {
    name: 'cameras-grid',
    path: '/',
    count: 30,
    act: async (page) => {
      await page.getByText('Grid', { exact: true }).click({ force: true });
      await page.waitForTimeout(1_200);
      await page.evaluate(() => localStorage.removeItem('vas.devices.view'));
    },
  },
  { name: 'snapshots-0', path: '/snapshots', count: 0 },
  { name: 'snapshots-1', path: '/snapshots', count: 1 },
  { name: 'snapshots-30', path: '/snapshots', count: 30 },
  { name: 'snapshots-no-match', path: '/snapshots?q=zebra', count: 30 },
  { name: 'snapshots-filtered', path: `/snapshots?device=${cameraId(7)}&when=custom`, count: 30 },
  {
    name: 'snapshots-selection',
    path: '/snapshots',
    count: 30,
    act: async (page) => {
      for (const number of [1, 2, 4]) await page.getByTestId('snapshot-tile').nth(number).getByRole('checkbox').click();
    },
  },
  { name: 'snapshots-view', path: '/snapshots', count: 30, act: openTile(2) },
  { name: 'snapshots-view-long', path: `/snapshots?device=${cameraId(7)}`, count: 30, act: openTile(0) },
  {
    name: 'snapshots-deleted',
    path: '/snapshots',
    count: 30,
    act: async (page) => {
      await openTile(3)(page);
      await page.keyboard.press('Delete');
      await page.getByText('was deleted').waitFor();
      await page.keyboard.press('Escape');
      await page.waitForTimeout(400);
    },
  },
  { name: 'capture-live', path: cameraAddress(0), count: 30, act: capture },
  {
    name: 'capture-job',
    path: cameraAddress(3),
    count: 30,
    act: async (page) => {
      await capture(page);
      await page.waitForTimeout(1_500);
    },
  },
  {
    name: 'capture-recorded',
    path: cameraAddress(0, 40),
    count: 30,
    act: async (page) => {
      await playing(page);
      await capture(page);
    },
  },
  {
    name: 'capture-none',
    path: cameraAddress(2, 120),
    count: 30,
    act: async (page) => {
      await playing(page);
      await capture(page);
    },
  },
  { name: 'capture-stopped', path: cameraAddress(9), count: 30, act: capture },
];
