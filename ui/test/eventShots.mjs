// Screenshots of events: the page with none, one and many, filters, the view of one, and a camera's timeline with lanes.
import { cameraAddress, cameraId, paused, press } from './shotSteps.mjs';

const tiles = (page) => page.getByTestId('event-tile').first().waitFor();

export const EVENT_PAGES = [
  { name: 'events-0', path: '/events', count: 0 },
  { name: 'events-1', path: '/events', count: 1 },
  { name: 'events-30', path: '/events', count: 30, act: tiles },
  { name: 'events-no-time', path: '/events?when=custom&from=2020-01-01T10:00&to=2020-01-01T12:00', count: 30 },
  { name: 'events-no-match', path: '/events?label=zebra', count: 30 },
  {
    name: 'events-filtered',
    path: `/events?device=${cameraId(7)}&device=${cameraId(14)}&device=${cameraId(21)}&label=person&score=60&when=custom&picture=1`,
    count: 30,
    act: async (page) => {
      const unfold = page.getByRole('button', { name: /^Filters/ });
      if (await unfold.isVisible()) await unfold.click();
    },
  },
  {
    name: 'events-keys',
    path: '/events',
    count: 30,
    act: async (page) => {
      await tiles(page);
      await page.locator('[data-event]').first().focus();
      for (const key of ['ArrowRight', 'ArrowDown']) await page.keyboard.press(key);
    },
  },
  {
    name: 'events-view',
    path: '/events',
    count: 30,
    act: async (page) => {
      await page.locator('[data-event]').nth(3).click();
      await page.getByTestId('event-video').waitFor({ state: 'attached' });
      await page.waitForTimeout(1_500);
    },
  },
  {
    name: 'events-view-long',
    path: '/events?label=a%20parcel%20that%20somebody%20has%20left%20in%20front%20of%20the%20door',
    count: 30,
    act: async (page) => {
      await page.locator('[data-event]').first().click();
      await page.getByTestId('event-video').waitFor({ state: 'attached' });
      await page.waitForTimeout(1_500);
    },
  },
  {
    name: 'events-gone',
    path: '/events?event=5',
    count: 30,
    act: (page) => page.getByText('Event not found').waitFor(),
  },
  { name: 'lanes', path: cameraAddress(0, 40), count: 30, act: paused },
  {
    name: 'lanes-hover',
    path: cameraAddress(0, 40),
    count: 30,
    act: async (page) => {
      await paused(page);
      const box = await page.getByRole('slider', { name: /^Timeline/ }).boundingBox();
      await page.mouse.move(box.x + box.width * 0.5, box.y + box.height - 8);
      await page.waitForTimeout(300);
    },
  },
  {
    name: 'more',
    path: '/health',
    count: 30,
    act: async (page) => {
      const more = page.getByRole('button', { name: 'More', exact: true });
      if (await more.isVisible()) await press('More')(page);
      await page.waitForTimeout(400);
    },
  },
];
