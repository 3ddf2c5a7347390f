// The pictures of the device page with recordings: playing, a gap, the end, nothing, errors, exports, dialogs.

const id = (number) => `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
const ago = (minutes) => new Date(Date.now() - minutes * 60_000).toISOString();
const at = (number, minutes) => `/devices/${id(number)}?t=${encodeURIComponent(ago(minutes))}`;

const playing = async (page) => {
  await page.locator('[data-testid="recorded-video"][data-player-state="playing"]').waitFor();
  await page.waitForTimeout(600);
};
const press =
  (...keys) =>
  async (page) => {
    for (const key of keys) await page.keyboard.press(key);
  };
const menuItem = (name) => async (page) => {
  await page.getByRole('button', { name: 'More of the player' }).click();
  await page.getByRole('menuitem', { name }).click();
};
const markFiveMinutes = async (page) => {
  await playing(page);
  await page.keyboard.press(' ');
  await page.keyboard.press('i');
  for (let count = 0; count < 5; count += 1) await page.keyboard.press('Shift+ArrowRight');
  await page.waitForTimeout(500);
  await page.keyboard.press('o');
};
const exportRange = (cut) => async (page) => {
  await markFiveMinutes(page);
  await page.getByLabel(cut).click();
  await page.getByRole('button', { name: 'Export as MP4' }).click();
  await page.waitForTimeout(3_000);
};
/** Into the longest gap that is in sight. */
const intoGap = async (page) => {
  await playing(page);
  const answer = await page.evaluate(async (device) => {
    const [end, start] = [new Date(), new Date(Date.now() - 86_400_000 * 3)];
    const told = await fetch(
      `/api/v1/recordings/devices/${device}/timeline?start=${start.toISOString()}&end=${end.toISOString()}`,
    );
    const { gaps } = await told.json();
    const length = (gap) => Date.parse(gap.end) - Date.parse(gap.start);
    return gaps.filter((gap) => gap.is_wanted).sort((a, b) => length(b) - length(a))[0]?.start;
  }, id(0));
  await page.goto(
    `${new URL(page.url()).origin}/devices/${id(0)}?t=${encodeURIComponent(new Date(Date.parse(answer) + 5_000).toISOString())}`,
  );
  await playing(page);
};

export const PLAYBACK_PAGES = [
  { name: 'playback-live', path: `/devices/${id(0)}`, count: 30, act: (page) => page.waitForTimeout(1_200) },
  {
    name: 'playback-hls',
    path: `/devices/${id(0)}`,
    count: 30,
    act: async (page) => {
      await menuItem(/some seconds behind/)(page);
      await page
        .getByTestId('hls-badge')
        .getByText(/behind/)
        .waitFor();
    },
  },
  { name: 'playback-recorded', path: at(0, 40), count: 30, act: playing },
  {
    name: 'playback-fast',
    path: at(0, 90),
    count: 30,
    act: async (page) => {
      await playing(page);
      await press('+', '+', '+')(page);
      await page.getByRole('button', { name: /^Speed/ }).click();
      await page.waitForTimeout(400);
    },
  },
  { name: 'playback-gap', path: at(0, 40), count: 30, act: intoGap },
  { name: 'playback-end', path: at(5, 0), count: 30, act: (page) => page.waitForTimeout(800) },
  {
    name: 'playback-ended',
    path: at(2, 1),
    count: 30,
    act: (page) => page.getByText('The footage ends here').waitFor(),
  },
  { name: 'playback-none', path: `/devices/${id(5)}`, count: 30, act: (page) => page.waitForTimeout(800) },
  {
    name: 'playback-error',
    path: at(0, 40),
    count: 30,
    isBroken: true,
    act: (page) => page.getByText('Playback was interrupted').waitFor(),
  },
  { name: 'playback-export', path: at(0, 40), count: 30, act: exportRange('Cut at key frames') },
  { name: 'playback-export-failed', path: at(6, 40), count: 30, act: exportRange('Cut exactly') },
  {
    name: 'playback-keep',
    path: at(0, 40),
    count: 30,
    act: async (page) => {
      await markFiveMinutes(page);
      await page.getByRole('button', { name: 'Keep…' }).click();
    },
  },
  {
    name: 'playback-delete',
    path: at(0, 40),
    count: 30,
    act: async (page) => {
      await markFiveMinutes(page);
      await page.getByRole('button', { name: 'Delete…' }).click();
      await page.getByRole('dialog').waitFor();
    },
  },
  {
    name: 'playback-jump',
    path: at(0, 40),
    count: 30,
    act: async (page) => {
      await playing(page);
      await page.keyboard.press('j');
      await page.getByRole('dialog').waitFor();
    },
  },
  {
    name: 'playback-keys',
    path: at(0, 40),
    count: 30,
    act: async (page) => {
      await playing(page);
      await page.keyboard.press('?');
      await page.getByRole('dialog').waitFor();
    },
  },
  {
    name: 'playback-days',
    path: at(0, 40),
    count: 30,
    act: async (page) => {
      await playing(page);
      await page.getByRole('button', { name: 'Recorded days' }).first().click();
      await page.getByRole('grid').waitFor();
    },
  },
];
