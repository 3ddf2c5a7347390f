// Screenshots of bookmarks, schedules and time-lapses: pages, dialogs, the bookmark button, the event history.
import { cameraAddress, cameraId, dialog, markFiveMinutes, paused, press } from './shotSteps.mjs';

const menuItem = (more, name) => async (page) => {
  await page.getByRole('button', { name: more }).first().click();
  await page.getByRole('menuitem', { name }).click();
};
const openTimeLapseOfRange = async (page) => {
  await markFiveMinutes(page);
  await page.getByRole('button', { name: 'Time-lapse…' }).click();
  await dialog(page);
};

export const BOOKMARK_PAGES = [
  { name: 'bookmarks-0', path: '/bookmarks', count: 0 },
  { name: 'bookmarks-1', path: '/bookmarks', count: 1 },
  { name: 'bookmarks-30', path: '/bookmarks', count: 30 },
  { name: 'bookmarks-no-match', path: '/bookmarks?q=zebra', count: 30 },
  {
    name: 'bookmarks-playing',
    path: '/bookmarks',
    count: 30,
    act: async (page) => {
      await press(/^Play /)(page);
      await page.waitForTimeout(1_200);
    },
  },
  { name: 'bookmarks-menu', path: '/bookmarks', count: 30, act: press(/^More actions for Forklift/) },
  {
    name: 'bookmarks-view',
    path: '/bookmarks',
    count: 30,
    act: async (page) => {
      await press(/^Lorry with a trailer/)(page);
      await dialog(page);
      await page.waitForTimeout(900);
    },
  },
  {
    name: 'bookmarks-edit',
    path: '/bookmarks',
    count: 30,
    act: async (page) => {
      await menuItem(/^More actions for Forklift/, 'Edit…')(page);
      await page.getByLabel('Title').waitFor();
    },
  },
  {
    name: 'bookmarks-undo',
    path: '/bookmarks',
    count: 30,
    act: async (page) => {
      await menuItem(/^More actions for Forklift/, 'Delete')(page);
      await page.getByRole('button', { name: 'Undo' }).waitFor();
    },
  },
  {
    name: 'bookmark-button',
    path: cameraAddress(0, 40),
    count: 30,
    act: async (page) => {
      await paused(page);
      await page.keyboard.press('b');
      await page.getByText(/^Saved:/).waitFor();
    },
  },
  {
    name: 'bookmark-refused',
    path: cameraAddress(5),
    count: 30,
    act: async (page) => {
      await page.keyboard.press('b');
      await page.getByText('No bookmark was created').waitFor();
    },
  },
  { name: 'bookmark-timeline', path: cameraAddress(0, 40), count: 30, act: paused },
  {
    name: 'bookmark-marker',
    path: cameraAddress(0, 40),
    count: 30,
    act: async (page) => {
      await paused(page);
      const box = await page.getByRole('slider', { name: /^Timeline/ }).boundingBox();
      await page.mouse.move(box.x + box.width * 0.815, box.y + 70);
      await page.waitForTimeout(300);
    },
  },
  {
    name: 'bookmark-history',
    path: cameraAddress(3),
    count: 30,
    act: (page) => page.getByText('was bookmarked').waitFor(),
  },
  { name: 'schedules-0', path: `${cameraAddress(1)}/snapshots`, count: 30 },
  { name: 'schedules-3', path: `${cameraAddress(0)}/snapshots`, count: 30 },
  { name: 'schedules-long', path: `${cameraAddress(7)}/snapshots`, count: 30 },
  {
    name: 'schedule-new',
    path: `${cameraAddress(0)}/snapshots`,
    count: 30,
    act: async (page) => {
      await press('Add schedule')(page);
      await page.getByLabel('Name').fill('Shop window');
    },
  },
  {
    name: 'schedule-edit',
    path: `${cameraAddress(0)}/snapshots`,
    count: 30,
    act: async (page) => {
      await press('Edit Shelves at closing time')(page);
      await page.getByLabel('Name').waitFor();
    },
  },
  {
    name: 'schedule-delete',
    path: `${cameraAddress(0)}/snapshots`,
    count: 30,
    act: async (page) => {
      await press('Delete Building site')(page);
      await dialog(page);
    },
  },
  {
    name: 'time-lapse-dialog',
    path: `${cameraAddress(0)}/snapshots`,
    count: 30,
    act: async (page) => {
      await press('Create time-lapse')(page);
      await dialog(page);
    },
  },
  {
    name: 'time-lapse-schedule',
    path: `/snapshots?device=${cameraId(0)}`,
    count: 30,
    act: async (page) => {
      await press('Time-lapse…')(page);
      await page.getByRole('combobox', { name: 'Schedule' }).waitFor();
    },
  },
  { name: 'time-lapse-range', path: cameraAddress(0, 40), count: 30, act: openTimeLapseOfRange },
  {
    name: 'time-lapse-jobs',
    path: `${cameraAddress(0)}/snapshots`,
    count: 30,
    act: async (page) => {
      await press('Create time-lapse')(page);
      await page.getByRole('button', { name: 'Create', exact: true }).click();
      await page.waitForTimeout(3_000);
    },
  },
];
