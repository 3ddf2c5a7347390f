// Recording settings: nobody's changes are lost, and errors are shown at their fields.
import { screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { buildRecording } from '../../test/recordingFactories';
import { renderAt } from '../../test/render';
import { StubApi } from '../../test/StubApi';
import { RecordingSettingsPage } from './RecordingSettingsPage';

let api: StubApi;
const PUT = 'PUT /recordings/devices/d1';

beforeEach(() => {
  api = new StubApi({
    'GET /recordings/devices/d1': { body: buildRecording(), headers: { ETag: '"4"' } },
    [PUT]: { body: buildRecording() },
  });
});
afterEach(() => vi.unstubAllGlobals());

const show = () =>
  renderAt('/devices/d1/recording', [{ path: '/devices/:id/recording', element: <RecordingSettingsPage /> }]);
const save = async () => userEvent.click(await screen.findByRole('button', { name: 'Save' }));

test('unchanged settings are sent as they were read, with their version', async () => {
  show();
  await save();
  await waitFor(() => expect(api.all(PUT)).toHaveLength(1));
  expect(api.all(PUT)[0]?.headers.get('If-Match')).toBe('"4"');
  expect(api.all(PUT)[0]?.body).toEqual({
    mode: 'continuous',
    time_zone: 'Europe/Berlin',
    plan: {},
    pre_roll_seconds: 5,
    post_roll_seconds: 10,
    keep_days: null,
    keep_bytes: null,
  });
});

test('empty limits show the default; sizes are entered in gigabytes', async () => {
  show();
  expect(await screen.findByText('Empty: the default for all cameras, 14 days.')).toBeInTheDocument();
  await userEvent.type(screen.getByLabelText('Size'), '1.5');
  await save();
  await waitFor(() => expect(api.all(PUT)[0]?.body).toMatchObject({ keep_bytes: 1_500_000_000, keep_days: null }));
});

test('an empty plan is not sent', async () => {
  show();
  await userEvent.click(await screen.findByLabelText(/^Weekly plan/));
  await save();
  expect(await screen.findByText('Plan at least one time range, or choose another mode')).toBeInTheDocument();
  expect(api.all(PUT)).toHaveLength(0);
  await userEvent.click(screen.getByRole('button', { name: 'Every night' }));
  await save();
  await waitFor(() =>
    expect(api.all(PUT)[0]?.body).toMatchObject({
      mode: 'scheduled',
      plan: { monday: [['20:00', '06:00']], sunday: [['20:00', '06:00']] },
    }),
  );
});

test('errors of the server are shown at their fields', async () => {
  api.set(PUT, {
    status: 422,
    body: {
      message: 'not valid',
      errors: {
        json: {
          keep_days: ["'keep_days' must be from 0 to 36500"],
          time_zone: ["'time_zone' must be the IANA name of a time zone"],
        },
      },
    },
  });
  show();
  await save();
  expect(await screen.findByText('The number of days must be from 0 to 36500.')).toBeInTheDocument();
  expect(screen.getByText('The time zone must be the IANA name of a time zone.')).toBeInTheDocument();
});

test('a change by somebody else is shown, and can be overwritten', async () => {
  api.set(PUT, (asked) =>
    asked.headers.has('If-Match') ? { status: 412, body: { message: 'changed' } } : { body: buildRecording() },
  );
  show();
  await save();
  await userEvent.click(await screen.findByRole('button', { name: 'Overwrite with mine' }));
  await waitFor(() => expect(api.all(PUT)).toHaveLength(2));
  expect(api.all(PUT)[1]?.headers.has('If-Match')).toBe(false);
});

test('a time zone is found by part of its name', async () => {
  show();
  const zone = await screen.findByRole('combobox', { name: 'Time zone' });
  await userEvent.clear(zone);
  await userEvent.type(zone, 'kathm');
  await userEvent.click(await screen.findByRole('option', { name: /Asia\/Kathmandu/ }));
  await save();
  await waitFor(() => expect(api.all(PUT)[0]?.body).toMatchObject({ time_zone: 'Asia/Kathmandu' }));
});
