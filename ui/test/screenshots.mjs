// Takes screenshots of every page at desk and phone width, light and dark, with 0, 1 and 30 cameras, into test/shots/.
// Needs a built UI (npm run build), Chromium and ffmpeg. With an argument only the shots whose name matches that pattern.
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { startFakeApi } from './fake-api/server.mjs';
import { BOOKMARK_PAGES } from './bookmarkShots.mjs';
import { EVENT_PAGES } from './eventShots.mjs';
import { GALLERY_PAGES } from './galleryShots.mjs';
import { NOTIFICATION_PAGES } from './notificationShots.mjs';
import { PLAYBACK_PAGES } from './playbackShots.mjs';
import { REASON_PAGES } from './reasonShots.mjs';
import { RECORDING_PAGES } from './recordingShots.mjs';
import { cameraAddress, dialog, panels, press } from './shotSteps.mjs';
import { ZONE_PAGES } from './zoneShots.mjs';

const OUT = fileURLToPath(new URL('./shots/', import.meta.url));
const PATTERN = new RegExp(process.argv[2] ?? '');
const MAX_HEIGHT = 3_200;
const SIZES = { desk: { width: 1440, height: 900 }, phone: { width: 390, height: 844 } };

const PAGES = [
  { name: 'list-0', path: '/', count: 0 },
  { name: 'list-1', path: '/', count: 1 },
  { name: 'list-30', path: '/', count: 30 },
  { name: 'no-match', path: '/?q=zebra', count: 30 },
  {
    name: 'delete',
    path: '/',
    count: 1,
    act: async (page) => {
      await press(/^More actions for/)(page);
      await page.getByRole('menuitem', { name: /Delete/ }).click();
      await dialog(page);
    },
  },
  {
    name: 'bin',
    path: '/',
    count: 1,
    act: async (page) => {
      await press(/^More actions for/)(page);
      await page.getByRole('menuitem', { name: /Delete/ }).click();
      await page.getByLabel('Type the name of the camera to delete it').fill('Loading dock');
      await page.getByRole('button', { name: 'Delete camera' }).click();
      await press(/can be restored$/)(page);
      await page.waitForTimeout(500);
    },
  },
  { name: 'device-idle', path: cameraAddress(4), count: 30 },
  { name: 'device-long', path: cameraAddress(7), count: 30 },
  {
    name: 'device-preview',
    path: `${cameraAddress(1)}?autoplay=1`,
    count: 30,
    act: (page) => page.waitForTimeout(1200),
  },
  { name: 'device-failed', path: `${cameraAddress(2)}?autoplay=1`, count: 30, act: (page) => page.waitForTimeout(800) },
  {
    name: 'device-stopped',
    path: `${cameraAddress(9)}?autoplay=1`,
    count: 30,
    act: (page) => page.waitForTimeout(800),
  },
  { name: 'device-gone', path: cameraAddress(99), count: 1 },
  { name: 'new', path: '/devices/new', count: 1, act: press('Add camera') },
  {
    name: 'edit-probe',
    path: `${cameraAddress(2)}/edit`,
    count: 30,
    act: async (page) => {
      await press('Test')(page);
      await page.getByText('Key frame every', { exact: true }).waitFor();
    },
  },
  { name: 'health', path: '/health', count: 30 },
  {
    name: 'health-work',
    path: '/health',
    count: 30,
    act: async (page) => {
      await page.getByText('Work and data').click();
      await page.getByText('Copy notes').waitFor();
    },
  },
  { name: 'panels-system', path: '/health', count: 30, act: panels, isBelow: true },
  { name: 'panels-device', path: cameraAddress(1), count: 30, act: panels, isBelow: true },
  { name: 'panels-device-slow', path: cameraAddress(2), count: 30, act: panels, isBelow: true },
  { name: 'panels-device-off', path: cameraAddress(4), count: 30, act: panels, isBelow: true },
  { name: 'options-device', path: `${cameraAddress(4)}/plugins/mediasoup_webrtc`, count: 30 },
  { name: 'options-all', path: '/plugins/mediasoup_webrtc', count: 30 },
  ...REASON_PAGES,
  ...RECORDING_PAGES,
  ...PLAYBACK_PAGES,
  ...GALLERY_PAGES,
  ...EVENT_PAGES,
  ...BOOKMARK_PAGES,
  ...NOTIFICATION_PAGES,
  ...ZONE_PAGES,
];

mkdirSync(OUT, { recursive: true });
const fake = await startFakeApi();
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
});
try {
  for (const [size, viewport] of Object.entries(SIZES)) {
    for (const colorScheme of ['light', 'dark']) {
      const context = await browser.newContext({
        viewport,
        colorScheme,
        hasTouch: size === 'phone',
        isMobile: size === 'phone',
        timezoneId: 'Europe/Berlin',
      });
      for (const { name, path, count, act, isBroken, isBelow } of PAGES) {
        const shot = `${name}-${size}-${colorScheme}`;
        if (!PATTERN.test(shot)) continue;
        fake.setCount(count);
        const page = await context.newPage();
        page.on('console', (message) => {
          if (message.type() === 'error' && !/status of [45]\d\d/.test(message.text()))
            process.stdout.write(`${shot}: ${message.text()}\n`);
        });
        page.on('pageerror', (error) => process.stdout.write(`${shot}: ${error.message}\n`));
        if (isBroken)
          await page.route('**/playlist?*', (route) =>
            route.fulfill({ status: 503, json: { message: 'the database is away' } }),
          );
        await page.goto(fake.url + path);
        await page.getByRole('heading', { level: 1 }).waitFor();
        await page.waitForLoadState('networkidle', { timeout: 2_000 }).catch(() => {});
        await act?.(page);
        // What is shown is below the first screen.
        if (!isBelow || size === 'phone') await page.evaluate(() => window.scrollTo(0, 0));
        await page.waitForTimeout(250);
        const overflow = await page.evaluate(
          () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
        );
        if (overflow > 0) process.stdout.write(`${shot}: ${overflow} px wider than the screen\n`);
        // Otherwise elements fixed to the edge of the screen would be in the middle of a long screenshot.
        const isLong = size === 'phone' && (await page.getByRole('dialog').count()) === 0;
        if (isLong) {
          const height = await page.evaluate(() => document.documentElement.scrollHeight);
          await page.setViewportSize({ width: viewport.width, height: Math.min(height, MAX_HEIGHT) });
          await page.waitForTimeout(400);
        }
        await page.screenshot({ path: `${OUT}${shot}.png` });
        await page.close();
      }
      await context.close();
    }
  }
} finally {
  await browser.close();
  await fake.close();
}
