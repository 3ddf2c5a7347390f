// Recording settings: nobody's changes are lost, and errors are shown at their fields.
import { act, fireEvent, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { buildRecording } from '../../test/recordingFactories';
import { renderAt } from '../../test/render';
import { StubApi } from '../../test/StubApi';
import { RecordingSettingsPage } from './RecordingSettingsPage';

let api: StubApi;
const PUT = 'PUT /recordings/devices/d1';
const EXPIRING = 'GET /recordings/devices/d1/expiring';

beforeEach(() => {
  api = new StubApi({
    'GET /recordings/devices/d1': { body: buildRecording(), headers: { ETag: '"4"' } },
    [PUT]: { body: buildRecording() },
    [EXPIRING]: { body: { bytes: 0, seconds: 0, days: 0, oldest: null, newest: null } },
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
    archive_keep_days: null,
    waits_for_copy: true,
  });
});

test('empty limits show the default; sizes are entered in gigabytes', async () => {
  show();
  expect(await screen.findByText('Empty: the default for all cameras, 14 days.')).toBeInTheDocument();
  await userEvent.type(screen.getByLabelText('Size'), '1.5');
  await save();
  await waitFor(() => expect(api.all(PUT)[0]?.body).toMatchObject({ keep_bytes: 1_500_000_000, keep_days: null }));
});

const LOSS = {
  bytes: 12_000_000_000,
  seconds: 40_000,
  days: 11,
  oldest: '2026-11-10T00:00:00Z',
  newest: '2026-11-19T00:00:00Z',
};

test('shorter limits tell what goes, and Save asks before it does', async () => {
  api.set(EXPIRING, ({ query }) => ({ body: query.get('keep_days') === '3' ? LOSS : { ...LOSS, bytes: 0 } }));
  show();
  await userEvent.type(await screen.findByLabelText('Days'), '3');
  expect(await screen.findByText(/About 12\.0 GB of 11 days/)).toBeInTheDocument();
  await save();
  const dialog = await screen.findByRole('dialog');
  expect(dialog).toHaveTextContent('cannot be undone');
  expect(api.all(PUT)).toHaveLength(0);
  await userEvent.click(within(dialog).getByRole('button', { name: 'Keep it' }));
  await waitFor(() => expect(screen.queryByRole('dialog')).not.toBeInTheDocument());
  expect(api.all(PUT)).toHaveLength(0);
  await save();
  await userEvent.click(await screen.findByRole('button', { name: 'Save and delete 12.0 GB' }));
  await waitFor(() => expect(api.all(PUT)[0]?.body).toMatchObject({ keep_days: 3 }));
});

test('longer limits are saved without a question', async () => {
  show();
  await userEvent.type(await screen.findByLabelText('Days'), '30');
  await save();
  await waitFor(() => expect(api.all(PUT)).toHaveLength(1));
});

test('unsaved changes are not lost by leaving the page', async () => {
  const router = show();
  await userEvent.type(await screen.findByLabelText('Days'), '30');
  await act(() => router.navigate('/elsewhere'));
  const dialog = await screen.findByRole('dialog');
  await userEvent.click(within(dialog).getByRole('button', { name: 'Keep editing' }));
  await waitFor(() => expect(screen.queryByRole('dialog')).not.toBeInTheDocument());
  expect(screen.getByLabelText('Days')).toHaveValue('30 days');
  await act(() => router.navigate('/elsewhere'));
  await userEvent.click(await screen.findByRole('button', { name: 'Discard changes' }));
  expect(await screen.findByText('elsewhere')).toBeInTheDocument();
});

test('without changes the page is left at once', async () => {
  const router = show();
  await screen.findByLabelText('Days');
  await act(() => router.navigate('/elsewhere'));
  expect(await screen.findByText('elsewhere')).toBeInTheDocument();
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

const showArchived = () => {
  api.set('GET /recordings/devices/d1', {
    body: buildRecording({ archived_by: 's3', archive_keep_days: 90 }),
    headers: { ETag: '"4"' },
  });
  show();
  return screen.findByLabelText('Days in the archive');
};

test('a camera with an archive has limits for it, and the preview tells what waits', async () => {
  const loss = { bytes: 0, seconds: 0, days: 0, oldest: null, newest: null, archived_bytes: 0 };
  api.set(EXPIRING, { body: { ...loss, waiting_bytes: 5_000_000_000 } });
  const days = await showArchived();
  expect(days).toHaveValue('90 days');
  fireEvent.change(days, { target: { value: '30' } });
  expect(await screen.findByText(/5.0 GB beyond these limits stay on the disk/)).toBeInTheDocument();
});

test('whether footage waits for its copy is saved', async () => {
  await showArchived();
  fireEvent.click(screen.getByLabelText(/^Wait for the copy/));
  fireEvent.click(screen.getByText('Save'));
  await waitFor(() => expect(api.all(PUT)[0]?.body).toMatchObject({ archive_keep_days: 90, waits_for_copy: false }));
});

test('without an archive there are no limits for one', async () => {
  show();
  await screen.findByLabelText('Days');
  expect(screen.queryByText('Days in the archive')).not.toBeInTheDocument();
});
