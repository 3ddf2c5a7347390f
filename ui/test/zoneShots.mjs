// Screenshots of the editor of zones and masks.
import { cameraAddress, press } from './shotSteps.mjs';

const options = (plugin) => `${cameraAddress(1)}/plugins/${plugin}`;
const surface = (page) => page.getByTestId('polygons').first();
const choose = async (page) => {
  await surface(page).waitFor();
  const { width, height } = await surface(page).boundingBox();
  await surface(page).click({ position: { x: width * 0.15, y: height * 0.17 } });
  await page.waitForTimeout(200);
};
const cross = async (page) => {
  await press('Edit the corners of Zone 1')(page);
  const corner = page.getByRole('button', { name: /^Corner 1 of/ });
  await corner.focus();
  for (let count = 0; count < 3; count += 1) await page.keyboard.press('Shift+ArrowRight');
  for (let count = 0; count < 9; count += 1) await page.keyboard.press('Shift+ArrowDown');
  await page.waitForTimeout(200);
};
const draw = async (page) => {
  await page.getByRole('button', { name: 'Add zone' }).click();
  const { width, height } = await surface(page).boundingBox();
  for (const [x, y] of [
    [0.2, 0.3],
    [0.7, 0.2],
    [0.8, 0.7],
  ])
    await surface(page).click({ position: { x: width * x, y: height * y } });
  await page.waitForTimeout(200);
};

export const ZONE_PAGES = [
  { name: 'zones-0', path: options('zones_0'), count: 30 },
  { name: 'zones-drawing', path: options('zones_0'), count: 30, act: draw },
  { name: 'zones-1', path: options('zones_1'), count: 30, act: cross },
  { name: 'zones-9', path: options('zones_9'), count: 30, act: choose },
  { name: 'zones-all', path: '/plugins/zones_1', count: 30 },
];
