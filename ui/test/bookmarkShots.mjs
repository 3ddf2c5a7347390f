// The pictures of bookmarks, schedules and time-lapses: pages, dialogs, the player's button, the history.

const id = (number) => `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
const ago = (minutes) => new Date(Date.now() - minutes * 60_000).toISOString();
const press = (name) => (page) => page.getByRole('button', { name }).first().click();
const dialog = (page) => page.getByRole('dialog').waitFor();
const menuItem = (more, name) => async (page) => {
  await page.getByRole('button', { name: more }).first().click();
  await page.getByRole('menuitem', { name }).click();
};
const paused = async (page) => {
  await page.locator('[data-testid="recorded-video"][data-player-state="playing"]').waitFor();
  await page.keyboard.press(' ');
  await page.waitForTimeout(300);
};
const fillRange = async (page) => {
  await paused(page);
  await page.keyboard.press('i');
  for (let count = 0; count < 5; count += 1) await page.keyboard.press('Shift+ArrowRight');
  await page.waitForTimeout(500);
  await page.keyboard.press('o');
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
  { name: 'bookmarks-menu', path: '/bookmarks', count: 30, act: press(/^More for Forklift/) },
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
      await menuItem(/^More for Forklift/, 'Edit…')(page);
      await page.getByLabel('Title').waitFor();
    },
  },
  {
    name: 'bookmarks-undo',
    path: '/bookmarks',
    count: 30,
    act: async (page) => {
      await menuItem(/^More for Forklift/, 'Delete')(page);
      await page.getByRole('button', { name: 'Undo' }).waitFor();
    },
  },
  {
    name: 'bookmark-button',
    path: `/devices/${id(0)}?t=${encodeURIComponent(ago(40))}`,
    count: 30,
    act: async (page) => {
      await paused(page);
      await page.keyboard.press('b');
      await page.getByText(/^Kept:/).waitFor();
    },
  },
  {
    name: 'bookmark-refused',
    path: `/devices/${id(5)}`,
    count: 30,
    act: async (page) => {
      await page.keyboard.press('b');
      await page.getByText('No bookmark was made').waitFor();
    },
  },
  { name: 'bookmark-timeline', path: `/devices/${id(0)}?t=${encodeURIComponent(ago(40))}`, count: 30, act: paused },
  {
    name: 'bookmark-marker',
    path: `/devices/${id(0)}?t=${encodeURIComponent(ago(40))}`,
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
    path: `/devices/${id(3)}`,
    count: 30,
    act: (page) => page.getByText('was bookmarked').waitFor(),
  },
  { name: 'schedules-0', path: `/devices/${id(1)}/snapshots`, count: 30 },
  { name: 'schedules-3', path: `/devices/${id(0)}/snapshots`, count: 30 },
  { name: 'schedules-long', path: `/devices/${id(7)}/snapshots`, count: 30 },
  {
    name: 'schedule-new',
    path: `/devices/${id(0)}/snapshots`,
    count: 30,
    act: async (page) => {
      await press('Add schedule')(page);
      await page.getByLabel('Name').fill('Shop window');
    },
  },
  {
    name: 'schedule-edit',
    path: `/devices/${id(0)}/snapshots`,
    count: 30,
    act: async (page) => {
      await press('Edit Shelves at closing time')(page);
      await page.getByLabel('Name').waitFor();
    },
  },
  {
    name: 'schedule-delete',
    path: `/devices/${id(0)}/snapshots`,
    count: 30,
    act: async (page) => {
      await press('Delete Building site')(page);
      await dialog(page);
    },
  },
  {
    name: 'time-lapse-dialog',
    path: `/devices/${id(0)}/snapshots`,
    count: 30,
    act: async (page) => {
      await press('Make a time-lapse')(page);
      await dialog(page);
    },
  },
  {
    name: 'time-lapse-schedule',
    path: `/snapshots?device=${id(0)}`,
    count: 30,
    act: async (page) => {
      await press('Time-lapse…')(page);
      await page.getByRole('combobox', { name: 'Which' }).waitFor();
    },
  },
  { name: 'time-lapse-range', path: `/devices/${id(0)}?t=${encodeURIComponent(ago(40))}`, count: 30, act: fillRange },
  {
    name: 'time-lapse-jobs',
    path: `/devices/${id(0)}/snapshots`,
    count: 30,
    act: async (page) => {
      await press('Make a time-lapse')(page);
      await page.getByRole('button', { name: 'Make it' }).click();
      await page.waitForTimeout(3_000);
    },
  },
];
