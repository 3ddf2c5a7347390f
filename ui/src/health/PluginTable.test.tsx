// The plugins of the health page, and the work of one.
import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { buildJob } from '../../test/jobFactories';
import { renderAt } from '../../test/render';
import { StubApi } from '../../test/StubApi';
import { PluginTable } from './PluginTable';

const none = { options: [], options_fault: null, panels: [] };
const plain = {
  name: 'plain',
  package: 'vas',
  version: '1',
  hooks: ['on_snapshot'],
  ...none,
  description: 'Nothing more',
};
const notes = {
  name: 'notes',
  package: 'vas-notes',
  version: '2',
  hooks: ['register_jobs'],
  ...none,
  description: 'Notes',
};
const work = {
  ...notes,
  jobs: [{ kind: 'notes.copy', title: 'Copy notes' }],
  schedules: [
    {
      name: 'tidy',
      every_seconds: 3600,
      is_running: false,
      started_at: '2026-11-01T10:00:00Z',
      next_at: '2026-11-01T11:00:00Z',
      error: 'OSError: disk',
    },
  ],
  services: [
    {
      name: 'send',
      state: 'pausing',
      since: '2026-11-01T10:00:00Z',
      restarts: 3,
      error: 'ValueError: no',
      cpu_percent: null,
      memory_bytes: 64_000_000,
    },
  ],
  tables: ['notes_list'],
  folder_bytes: 2_000_000,
  work_problems: [{ reason: 'no plugins worker runs for it', remedy: 'start the plugins process (Procfile)' }],
};

let api: StubApi;

beforeEach(() => {
  api = new StubApi({
    'GET /plugins': { body: [notes, plain] },
    'GET /plugins/notes': { body: work },
    'GET /jobs': {
      body: [
        buildJob({
          id: 'j7',
          kind: 'notes.copy',
          state: 'failed',
          error: { code: 'plugin_failed', message: 'ValueError: no', remedy: '' },
        }),
        buildJob({ id: 'j6', kind: 'notes.copy', state: 'running', stage: 'copying', progress: 0.5 }),
      ],
    },
    'POST /jobs/j7/retry': { status: 202, body: buildJob({ id: 'j7', state: 'queued' }) },
    'POST /jobs/j6/cancel': { status: 202, body: buildJob({ id: 'j6', state: 'cancelled' }) },
  });
});
afterEach(() => vi.unstubAllGlobals());

const show = () => renderAt('/health', [{ path: '/health', element: <PluginTable /> }]);

test('the work of a plugin is read when it is opened, and shows what is wrong first', async () => {
  show();
  const summaries = await screen.findAllByText('Work and data');
  expect(summaries).toHaveLength(1);
  expect(api.all('GET /plugins/notes')).toHaveLength(0);
  await userEvent.click(summaries[0]!);
  expect(await screen.findByText('No plugins worker runs for it.')).toBeInTheDocument();
  const services = screen.getByRole('list', { name: 'Services of notes' });
  expect(services).toHaveTextContent('Waiting to be started again');
  expect(services).toHaveTextContent('64.0 MB of memory');
  expect(services).toHaveTextContent('ValueError: no');
  expect(screen.getByRole('list', { name: 'Schedules of notes' })).toHaveTextContent('OSError: disk');
  expect(screen.getByText(/Tables: notes_list/)).toHaveTextContent('Files: 2.0 MB');
});

test('a failed job can be tried again, and a running one cancelled', async () => {
  show();
  await userEvent.click(await screen.findByText('Work and data'));
  const jobs = await screen.findByRole('list', { name: 'Jobs: Copy notes' });
  await userEvent.click(await within(jobs).findByRole('button', { name: 'Try again' }));
  await waitFor(() => expect(api.all('POST /jobs/j7/retry')).toHaveLength(1));
  await userEvent.click(within(jobs).getByRole('button', { name: 'Cancel' }));
  await waitFor(() => expect(api.all('POST /jobs/j6/cancel')).toHaveLength(1));
});
