// Screenshots of a camera's page with recordings: playback, a gap, the end, no footage, errors, exports, dialogs.
import { cameraAddress, cameraId, dialog, markFiveMinutes, playing, press } from './shotSteps.mjs';

const menuItem = (name) => async (page) => {
  await page.getByRole('button', { name: 'More actions' }).click();
  await page.getByRole('menuitem', { name }).click();
};
const exportRange = (cut) => async (page) => {
  await markFiveMinutes(page);
  await press('Ways to cut the export')(page);
  await page.getByRole('menuitem', { name: cut }).click();
  await page.waitForTimeout(3_000);
};
/** Opens the longest gap of the last three days. */
const openGap = async (page) => {
  await playing(page);
  const gapStart = await page.evaluate(async (device) => {
    const [end, start] = [new Date(), new Date(Date.now() - 86_400_000 * 3)];
    const response = await fetch(
      `/api/v1/recordings/devices/${device}/timeline?start=${start.toISOString()}&end=${end.toISOString()}`,
    );
    const { gaps } = await response.json();
    const length = (gap) => Date.parse(gap.end) - Date.parse(gap.start);
    return gaps.filter((gap) => gap.is_wanted).sort((a, b) => length(b) - length(a))[0]?.start;
  }, cameraId(0));
  await page.goto(
    `${new URL(page.url()).origin}${cameraAddress(0)}?t=${encodeURIComponent(new Date(Date.parse(gapStart) + 5_000).toISOString())}`,
  );
  await playing(page);
};

export const PLAYBACK_PAGES = [
  { name: 'playback-live', path: cameraAddress(0), count: 30, act: (page) => page.waitForTimeout(1_200) },
  {
    name: 'playback-hls',
    path: cameraAddress(0),
    count: 30,
    act: async (page) => {
      await menuItem(/^HLS/)(page);
      await page
        .getByTestId('hls-badge')
        .getByText(/behind/)
        .waitFor();
    },
  },
  { name: 'playback-recorded', path: cameraAddress(0, 40), count: 30, act: playing },
  {
    name: 'playback-fast',
    path: cameraAddress(0, 90),
    count: 30,
    act: async (page) => {
      await playing(page);
      for (let count = 0; count < 3; count += 1) await page.keyboard.press('+');
      await page.getByRole('button', { name: /speed/i }).click();
      await page.waitForTimeout(400);
    },
  },
  { name: 'playback-gap', path: cameraAddress(0, 40), count: 30, act: openGap },
  { name: 'playback-end', path: cameraAddress(5, 0), count: 30, act: (page) => page.waitForTimeout(800) },
  {
    name: 'playback-ended',
    path: cameraAddress(2, 1),
    count: 30,
    act: (page) => page.getByText('End of the recording').waitFor(),
  },
  { name: 'playback-none', path: cameraAddress(5), count: 30, act: (page) => page.waitForTimeout(800) },
  {
    name: 'playback-error',
    path: cameraAddress(0, 40),
    count: 30,
    isBroken: true,
    act: (page) => page.getByText('Playback was interrupted').waitFor(),
  },
  { name: 'playback-export', path: cameraAddress(0, 40), count: 30, act: exportRange('Cut at key frames') },
  { name: 'playback-export-failed', path: cameraAddress(6, 40), count: 30, act: exportRange('Cut exactly') },
  {
    name: 'playback-keep',
    path: cameraAddress(0, 40),
    count: 30,
    act: async (page) => {
      await markFiveMinutes(page);
      await page.getByRole('button', { name: 'Protect…' }).click();
    },
  },
  {
    name: 'playback-delete',
    path: cameraAddress(0, 40),
    count: 30,
    act: async (page) => {
      await markFiveMinutes(page);
      await page.getByRole('button', { name: 'Delete…' }).click();
      await dialog(page);
    },
  },
  {
    name: 'playback-jump',
    path: cameraAddress(0, 40),
    count: 30,
    act: async (page) => {
      await playing(page);
      await page.keyboard.press('j');
      await dialog(page);
    },
  },
  {
    name: 'playback-keys',
    path: cameraAddress(0, 40),
    count: 30,
    act: async (page) => {
      await playing(page);
      await page.keyboard.press('?');
      await dialog(page);
    },
  },
  {
    name: 'playback-days',
    path: cameraAddress(0, 40),
    count: 30,
    act: async (page) => {
      await playing(page);
      await page.getByRole('button', { name: 'Recorded days' }).first().click();
      await page.getByRole('grid').waitFor();
    },
  },
];
