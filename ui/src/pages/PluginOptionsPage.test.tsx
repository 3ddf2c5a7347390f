// Options of plugins: a form built from the schema, inherited values with their origin, secrets that are never shown.
import { act, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { OptionOrigin, PluginOptions } from '../api/pluginOptions';
import { buildDevice } from '../../test/factories';
import { renderAt } from '../../test/render';
import { StubApi } from '../../test/StubApi';
import { PluginOptionsPage } from './PluginOptionsPage';

const PATH = '/devices/d1/plugins/door_bell';
const GET = `GET ${PATH}`;
const PUT = `PUT ${PATH}`;
const DEFAULT: OptionOrigin = { level: 'default', tag: null, other_tags: [] };

const field = (kind: string, order: number, rest: object) =>
  ({ title: '', 'x-kind': kind, 'x-order': order, 'x-scope': 'device', ...rest }) as never;

function buildOptions(changes: Partial<PluginOptions> = {}): PluginOptions {
  return {
    plugin: 'door_bell',
    level: 'device',
    tag: null,
    device_id: 'd1',
    values: { volume: 30 },
    secrets: { pin: true },
    effective: {},
    origins: {},
    inherited: { enabled: true, volume: 50, pause: 120, melody: 'dong', extra: { a: 1 } },
    inherited_origins: {
      enabled: DEFAULT,
      volume: DEFAULT,
      pause: { level: 'installation', tag: null, other_tags: [] },
      melody: { level: 'tag', tag: 'gate', other_tags: ['north'] },
      extra: DEFAULT,
      pin: DEFAULT,
    },
    problems: [],
    missing: [],
    tags: [],
    schema: {
      properties: {
        pin: field('secret', 5, { title: 'Pin' }),
        enabled: field('switch', 0, { title: 'Ring', type: 'boolean' }),
        volume: field('number', 1, { title: 'Volume', type: 'integer', minimum: 0, maximum: 100, 'x-unit': '%' }),
        pause: field('duration', 2, { title: 'Pause', type: 'integer' }),
        melody: field('choice', 3, { title: 'Melody', type: 'string', enum: ['ding', 'dong'] }),
        extra: field('zones_of_a_later_version', 4, { title: 'Extra' }),
      },
    },
    changed_at: null,
    changed_by: null,
    ...changes,
  };
}

let api: StubApi;
beforeEach(() => {
  api = new StubApi({
    'GET /devices/d1': { body: buildDevice({ name: 'Gate' }), headers: { ETag: '"1"' } },
    [GET]: { body: buildOptions(), headers: { ETag: '"4.x"' } },
    [PUT]: { body: buildOptions() },
  });
});
afterEach(() => vi.unstubAllGlobals());

const show = () => renderAt(PATH, [{ path: '/devices/:id/plugins/:name', element: <PluginOptionsPage /> }]);
const save = async () => userEvent.click(await screen.findByRole('button', { name: 'Save' }));
const row = async (title: string) =>
  (await screen.findAllByTestId('option')).find(
    (found) => within(found).queryAllByText(title).length > 0,
  ) as HTMLElement;

test('unchanged options are sent as they were read, with their version and without the secret', async () => {
  show();
  expect(await screen.findByRole('heading', { name: 'Door bell for Gate' })).toBeInTheDocument();
  await save();
  await waitFor(() => expect(api.all(PUT)).toHaveLength(1));
  expect(api.all(PUT)[0]?.headers.get('If-Match')).toBe('"4.x"');
  expect(api.all(PUT)[0]?.body).toEqual({ values: { volume: 30 } });
});

test('what is inherited shows its value and where it comes from, and is set by a change alone', async () => {
  show();
  expect(await row('Melody')).toHaveTextContent('From the tag “gate”; north would set another value');
  expect(await row('Pause')).toHaveTextContent('From all cameras');
  expect(screen.getByLabelText('Pause', { selector: 'input' })).toHaveValue('2');
  expect(await row('Ring')).toHaveTextContent('Default');
  expect(await row('Volume')).toHaveTextContent('Set here');
  await userEvent.click(screen.getByLabelText('Ring'));
  expect(await row('Ring')).toHaveTextContent('Set here');
  await userEvent.click(screen.getByRole('button', { name: 'Reset Volume' }));
  expect(screen.getByLabelText('Volume')).toHaveValue('50 %');
  await save();
  await waitFor(() => expect(api.all(PUT)[0]?.body).toEqual({ values: { enabled: false } }));
});

test('a secret is replaced or removed, never shown', async () => {
  show();
  await userEvent.click(await screen.findByRole('button', { name: 'Replace' }));
  await userEvent.type(screen.getByLabelText('Pin'), '4711');
  await save();
  await waitFor(() => expect(api.all(PUT)[0]?.body).toEqual({ values: { volume: 30, pin: '4711' } }));
});

test('a removed secret is sent as null', async () => {
  show();
  await userEvent.click(await screen.findByRole('button', { name: 'Remove' }));
  expect(await row('Pin')).toHaveTextContent('Will be removed');
  await save();
  await waitFor(() => expect(api.all(PUT)[0]?.body).toEqual({ values: { volume: 30, pin: null } }));
});

test('a kind without a field of its own is edited as JSON, which must be valid', async () => {
  show();
  const editor = await screen.findByLabelText('Extra');
  expect(editor).toHaveValue('{\n  "a": 1\n}');
  await userEvent.clear(editor);
  await userEvent.type(editor, '[[1');
  await save();
  expect(await row('Extra')).toHaveTextContent('This is not valid JSON');
  expect(api.all(PUT)).toHaveLength(0);
  await userEvent.type(editor, ']');
  await save();
  await waitFor(() => expect(api.all(PUT)[0]?.body).toEqual({ values: { volume: 30, extra: [1] } }));
});

test('errors of the server are shown at their fields', async () => {
  api.set(PUT, {
    status: 422,
    body: { message: 'x', errors: { json: { values: { volume: ["'volume' must be at most 80 for 'dong'"] } } } },
  });
  show();
  await save();
  expect(await row('Volume')).toHaveTextContent('Must be at most 80');
});

test('options that somebody else saved meanwhile are not overwritten unasked', async () => {
  api.set(PUT, { status: 412, body: { message: 'changed', reason: 'version_changed' } });
  show();
  await screen.findByRole('button', { name: 'Save' });
  api.set(GET, {
    body: buildOptions({ values: { volume: 80, melody: 'ding' }, secrets: { pin: false } }),
    headers: { ETag: '"5"' },
  });
  await save();
  expect(await screen.findByText('This set of options was changed in the meantime')).toBeInTheDocument();
  const lines = within(await screen.findByRole('list', { name: 'Their changes' })).getAllByRole('listitem');
  expect(lines.map((line) => line.textContent)).toEqual([
    'Pin: removed',
    'Volume: 30 % → 80 %',
    'Melody: inherited → “ding”',
  ]);
  api.set(PUT, { body: buildOptions() });
  await userEvent.click(screen.getByRole('button', { name: 'Overwrite with mine' }));
  await waitFor(() => expect(api.all(PUT)).toHaveLength(2));
  expect(api.all(PUT)[1]?.headers.get('If-Match')).toBeNull();
});

test('unsaved changes are not lost by leaving the page', async () => {
  const router = show();
  await userEvent.click(await screen.findByLabelText('Ring'));
  await act(() => router.navigate('/elsewhere'));
  expect(await screen.findByRole('button', { name: 'Keep editing' })).toBeInTheDocument();
});

test('a stored value that does not fit is named', async () => {
  const problem = { name: 'volume', level: 'device', tag: null, message: "'volume' must be a number" };
  api.set(GET, { body: buildOptions({ problems: [problem] }), headers: { ETag: '"4"' } });
  show();
  expect(await screen.findByText('A stored value is not used')).toBeInTheDocument();
});
