// Screenshots of the page of notifications and of its dialogs.
import { dialog, press } from './shotSteps.mjs';

const open = (button) => async (page) => {
  await press(button)(page);
  await dialog(page);
  await page.waitForTimeout(700);
};
const addChannel = (kind) => async (page) => {
  await open('Add channel')(page);
  await page.getByRole('combobox', { name: 'Kind' }).click();
  await page.getByRole('option', { name: kind }).click();
  await page.waitForTimeout(300);
};

export const NOTIFICATION_PAGES = [
  { name: 'notifications-0', path: '/notifications', count: 0 },
  { name: 'notifications-1', path: '/notifications', count: 1 },
  { name: 'notifications-rule', path: '/notifications', count: 1, act: open('Edit People at night') },
  { name: 'notifications-mqtt', path: '/notifications', count: 1, act: addChannel('MQTT') },
  { name: 'notifications-mail', path: '/notifications', count: 1, act: addChannel('Mail') },
];
