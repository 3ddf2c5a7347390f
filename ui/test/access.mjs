// Checks every page with axe, light and dark, at desk and phone width: `npm run access` prints what is wrong and fails. On phones
// it also measures the targets. Needs a built UI (npm run build), Chromium and ffmpeg. With an argument only the pages whose name
// matches that pattern.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';
import { startFakeApi } from './fake-api/server.mjs';
import { cameraAddress, cameraId, dialog, press } from './shotSteps.mjs';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const PATTERN = new RegExp(process.argv[2] ?? '');
const SIZES = { desk: { width: 1440, height: 900 }, phone: { width: 390, height: 844 } };
/** The least side of a target in CSS pixels: WCAG 2.5.8 (axe checks it), and 2.5.5 on touch screens. */
const TOUCH_TARGET = 44;

const open = (name) => async (page) => {
  await press(name)(page);
  await page.getByRole('menu').or(page.getByRole('dialog')).first().waitFor();
};
const PAGES = [
  { name: 'cameras', path: '/' },
  { name: 'cameras-none', path: '/', count: 0 },
  { name: 'cameras-no-match', path: '/?q=zebra' },
  { name: 'camera-menu', path: '/', act: open(/^More actions for/) },
  { name: 'camera', path: cameraAddress(4) },
  { name: 'camera-failed', path: `${cameraAddress(2)}?autoplay=1` },
  { name: 'camera-recorded', path: cameraAddress(0, 40) },
  { name: 'camera-gone', path: cameraAddress(99) },
  { name: 'camera-new', path: '/devices/new', act: press('Add camera') },
  { name: 'camera-edit', path: `${cameraAddress(2)}/edit` },
  { name: 'recording-settings', path: `${cameraAddress(0)}/recording` },
  { name: 'camera-snapshots', path: `${cameraAddress(0)}/snapshots` },
  { name: 'recordings', path: '/recordings' },
  { name: 'recorded-day', path: `/recordings/${cameraId(0)}` },
  { name: 'snapshots', path: '/snapshots' },
  { name: 'bookmarks', path: '/bookmarks' },
  { name: 'events', path: '/events' },
  { name: 'health', path: '/health' },
  { name: 'no-such-page', path: '/nowhere' },
  {
    name: 'help',
    path: cameraAddress(4),
    act: async (page) => {
      await page.keyboard.press('?');
      await dialog(page);
    },
  },
];

/** Targets that are too small; the exceptions of WCAG hold: links in a text, and targets that the browser draws. */
function findSmallTargets(least) {
  const selector =
    'a[href], button, input, select, textarea, [role=button], [role=slider], [role=option], [role=menuitem]';
  return [...document.querySelectorAll(selector)].flatMap((element) => {
    if (!element.checkVisibility({ visibilityProperty: true }) || element.closest('[aria-hidden=true], [inert]'))
      return [];
    if (element.disabled || element.type === 'hidden' || element.tabIndex < 0) return [];
    // A link in a text, a field that a larger box around it focuses, and days side by side have no room.
    const isExempt = element.matches('a') && getComputedStyle(element).display === 'inline';
    if (isExempt || element.closest('.mantine-PillsInput-input, .mantine-TagsInput-input, [role=grid], [data-dense]'))
      return [];
    // A label is a target of its field, and what covers an element (::after) is a part of it.
    const boxes = [element, ...(element.labels ?? [])].map((part) => part.getBoundingClientRect());
    const cover = getComputedStyle(element, '::after');
    const isCovered = cover.content !== 'none' && cover.position === 'absolute';
    const width = Math.max(isCovered ? parseFloat(cover.width) : 0, ...boxes.map((box) => box.width));
    const height = Math.max(isCovered ? parseFloat(cover.height) : 0, ...boxes.map((box) => box.height));
    if (width === 0 || height === 0 || width <= 1) return [];
    if (width >= least - 0.5 && height >= least - 0.5) return [];
    const name = element.getAttribute('aria-label') ?? element.textContent.trim().slice(0, 40);
    return [`${element.tagName.toLowerCase()} “${name}” ${Math.round(width)} × ${Math.round(height)}`];
  });
}

const fake = await startFakeApi();
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-sync'],
});
let faults = 0;
const report = (where, text) => {
  faults += 1;
  process.stdout.write(`${where}: ${text}\n`);
};
try {
  for (const [size, viewport] of Object.entries(SIZES)) {
    const isPhone = size === 'phone';
    for (const colorScheme of ['light', 'dark']) {
      const context = await browser.newContext({
        viewport,
        colorScheme,
        hasTouch: isPhone,
        isMobile: isPhone,
        reducedMotion: 'reduce',
        bypassCSP: true,
      });
      for (const { name, path, count = 30, act } of PAGES) {
        const where = `${name}-${size}-${colorScheme}`;
        if (!PATTERN.test(where)) continue;
        fake.setCount(count);
        const page = await context.newPage();
        await page.goto(fake.url + path);
        await page.getByRole('heading', { level: 1 }).waitFor();
        await page.waitForLoadState('networkidle', { timeout: 3_000 }).catch(() => {});
        await act?.(page);
        await page.waitForTimeout(300);
        await page.evaluate(AXE);
        // An open menu belongs to its button, not to a landmark.
        const rules = { region: { enabled: (await page.getByRole('menu').count()) === 0 } };
        const { violations } = await page.evaluate(
          (wanted) => globalThis.axe.run(document, { resultTypes: ['violations'], rules: wanted }),
          rules,
        );
        for (const { id, nodes } of violations)
          for (const node of nodes)
            report(where, `${id}: ${node.target.join(' ')} ${node.any[0]?.message ?? node.all[0]?.message ?? ''}`);
        if (isPhone && colorScheme === 'light')
          for (const text of await page.evaluate(findSmallTargets, TOUCH_TARGET))
            report(where, `small target: ${text}`);
        await page.close();
      }
      await context.close();
    }
  }
} finally {
  await browser.close();
  await fake.close();
}
process.exitCode = faults ? 1 : 0;
