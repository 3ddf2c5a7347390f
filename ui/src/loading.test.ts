// Notices are loaded with the first input or the first notification.
import { notifications } from '@mantine/notifications';
import { afterEach, expect, test } from 'vitest';
import { untilNoticesAreNeeded } from './loading';

afterEach(() => notifications.clean());

const isDone = (wait: Promise<void>) => Promise.race([wait.then(() => true), Promise.resolve().then(() => false)]);

test.each([
  ['an input', () => document.body.dispatchEvent(new Event('pointerdown', { bubbles: true }))],
  ['a notification', () => notifications.show({ message: 'The camera was deleted.' })],
])('notices wait for %s', async (_, happen) => {
  const wait = untilNoticesAreNeeded();
  expect(await isDone(wait)).toBe(false);
  happen();
  await wait;
});

test('a notification that is there already is shown at once', async () => {
  notifications.show({ message: 'The camera was deleted.' });
  await untilNoticesAreNeeded();
});
