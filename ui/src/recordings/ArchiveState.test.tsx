// The archives in the storage panel: state, reason, what waits, the test of the connection and the retry.
import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { beforeEach, expect, test, vi } from 'vitest';
import { buildStorage } from '../../test/recordingFactories';
import { renderAt } from '../../test/render';
import { StubApi } from '../../test/StubApi';
import type { ArchiveState as State } from '../api/recordingTypes';
import { formatWork } from './ArchiveState';
import { StoragePanel } from './StoragePanel';

const NOW = Date.parse('2026-11-22T12:00:00Z');
const STATE: State = {
  name: 'cloud',
  state: 'idle',
  reason: null,
  failing_since: null,
  next_try_at: null,
  bytes_per_second: 0,
  ends_at: null,
  is_testable: true,
};
const FAILING: State = {
  ...STATE,
  state: 'failing',
  reason: { code: 'away', message: 'nothing answers at the endpoint', remedy: 'check the network' },
  failing_since: '2026-11-22T11:00:00Z',
};
let api: StubApi;

const storageWith = (archive: State) =>
  buildStorage({
    archive: {
      archived_bytes: 5_000_000_000,
      away_bytes: 2_000_000_000,
      waiting_bytes: 1_000_000_000,
      devices: 2,
      archives: [archive],
      backlogs: [
        { device_id: 'a1', device_name: 'Yard', waiting_bytes: 1_000_000_000, oldest: '2026-11-22T09:00:00Z' },
      ],
    },
  });
const show = () => renderAt('/', [{ path: '/', element: <StoragePanel /> }]);

beforeEach(() => {
  vi.setSystemTime(NOW);
  api = new StubApi({ 'GET /recordings/storage': { body: storageWith(FAILING) } });
});

test('the state is said in words', () => {
  expect(formatWork({ ...STATE, state: 'copying', bytes_per_second: 2_500_000 }, NOW)).toBe('Copying, 2.5 MB/s');
  const ends_at = '2026-11-22T15:00:00Z';
  expect(formatWork({ ...STATE, state: 'copying', bytes_per_second: 2_500_000, ends_at }, NOW)).toBe(
    'Copying, 2.5 MB/s, about 3 h left',
  );
  expect(formatWork(STATE, NOW)).toBe('Ready');
  expect(formatWork({ ...STATE, state: 'unknown' }, NOW)).toMatch(/does not report/);
});

test('a failing archive shows its reason, the remedy and what waits, and can be tried at once', async () => {
  api.set('POST /recordings/storage/archives/cloud/retry', { status: 204 });
  show();
  const archive = await screen.findByRole('region', { name: 'Archive cloud' });
  expect(within(archive).getByText('Nothing answers at the endpoint.')).toBeInTheDocument();
  expect(within(archive).getByText(/Check the network\./)).toBeInTheDocument();
  expect(screen.getByRole('link', { name: 'Yard' })).toBeInTheDocument();
  expect(screen.getByText('1.0 GB wait, the oldest for 3 h')).toBeInTheDocument();
  await userEvent.click(within(archive).getByRole('button', { name: 'Try now' }));
  await waitFor(() => expect(api.all('POST /recordings/storage/archives/cloud/retry')).toHaveLength(1));
});

test('the test of the connection names the step that fails', async () => {
  api.set('POST /recordings/storage/archives/cloud/test', { status: 202, body: { job_id: 'j1' } });
  const reason = { message: 'the bucket does not exist', remedy: 'create it' };
  const steps = [
    { is_ok: true, reason: null },
    { is_ok: false, reason },
  ];
  api.set('GET /jobs/j1', {
    body: { id: 'j1', state: 'done', error: null, result: { data: { is_ok: false, steps } } },
  });
  show();
  await userEvent.click(await screen.findByRole('button', { name: 'Test connection' }));
  expect(await screen.findByText('The connection does not work')).toBeInTheDocument();
  expect(screen.getByText(/The bucket does not exist\. Create it\./)).toBeInTheDocument();
});

test('a connection that works is said so', async () => {
  api.set('GET /recordings/storage', { body: storageWith(STATE) });
  api.set('POST /recordings/storage/archives/cloud/test', { status: 202, body: { job_id: 'j1' } });
  api.set('GET /jobs/j1', {
    body: { id: 'j1', state: 'done', error: null, result: { data: { is_ok: true, steps: [] } } },
  });
  show();
  await userEvent.click(await screen.findByRole('button', { name: 'Test connection' }));
  expect(await screen.findByText('The connection works')).toBeInTheDocument();
  expect(screen.queryByRole('button', { name: 'Try now' })).toBeNull();
});
