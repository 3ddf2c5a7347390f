// Addresses and steps that several lists of screenshots use.

export const cameraId = (number) => `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
const minutesAgo = (minutes) => new Date(Date.now() - minutes * 60_000).toISOString();

/** The page of camera `number`; with `minutes`, its recording that many minutes ago. */
export const cameraAddress = (number, minutes) =>
  `/devices/${cameraId(number)}${minutes === undefined ? '' : `?t=${encodeURIComponent(minutesAgo(minutes))}`}`;

export const press = (name) => (page) => page.getByRole('button', { name }).first().click();

/** Brings the panels of plugins into view, where they are loaded. */
export const panels = async (page) => {
  await page.getByTestId('plugin-panels').scrollIntoViewIfNeeded();
  await page.getByText('This panel cannot be shown').first().waitFor();
  await page.waitForTimeout(300);
};

export const dialog = (page) => page.getByRole('dialog').waitFor();

const untilPlaying = (page) => page.locator('[data-testid="recorded-video"][data-player-state="playing"]').waitFor();

export const playing = async (page) => {
  await untilPlaying(page);
  await page.waitForTimeout(600);
};

export const paused = async (page) => {
  await untilPlaying(page);
  await page.keyboard.press(' ');
  await page.waitForTimeout(300);
};

/** Marks five minutes from the present moment on. */
export const markFiveMinutes = async (page) => {
  await paused(page);
  await page.keyboard.press('i');
  for (let count = 0; count < 5; count += 1) await page.keyboard.press('Shift+ArrowRight');
  await page.waitForTimeout(500);
  await page.keyboard.press('o');
};
