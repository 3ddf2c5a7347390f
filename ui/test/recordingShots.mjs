// Screenshots of recordings: list, one day of all cameras, a camera's days, settings.
import { cameraAddress, cameraId } from './shotSteps.mjs';

const daysAgo = (days) => new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10);

export const RECORDING_PAGES = [
  { name: 'recordings-0', path: '/recordings', count: 0 },
  { name: 'recordings-1', path: '/recordings', count: 1 },
  { name: 'recordings-30', path: '/recordings', count: 30 },
  { name: 'recordings-date', path: `/recordings?date=${daysAgo(1)}`, count: 30 },
  { name: 'recordings-no-match', path: '/recordings?q=zebra', count: 30 },
  {
    name: 'recorded-days',
    path: `/recordings/${cameraId(0)}`,
    count: 30,
    act: (page) =>
      page
        .getByRole('button', { name: /gaps on/ })
        .first()
        .click(),
  },
  { name: 'recorded-days-long', path: `/recordings/${cameraId(7)}`, count: 30 },
  { name: 'recorded-days-none', path: `/recordings/${cameraId(5)}`, count: 30 },
  { name: 'recording-settings', path: `${cameraAddress(0)}/recording`, count: 30 },
  {
    name: 'recording-shorter',
    path: `${cameraAddress(0)}/recording`,
    count: 30,
    act: async (page) => {
      await page.getByLabel('Days').fill('3');
      await page.getByText('Saving deletes footage').waitFor();
    },
  },
  {
    name: 'recording-plan',
    path: `${cameraAddress(1)}/recording`,
    count: 30,
    act: (page) => page.getByRole('button', { name: /^Friday/ }).click(),
  },
  { name: 'recording-event', path: `${cameraAddress(3)}/recording`, count: 30 },
];
