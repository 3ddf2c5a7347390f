// Panels of plugins: loaded when they are seen, ended with the page, and a failure is a notice with a retry.
import { act, screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { useMantineColorScheme } from '@mantine/core';
import { beforeEach, expect, test, vi, afterEach } from 'vitest';
import { renderAt } from '../../test/render';
import { StubApi } from '../../test/StubApi';
import { PluginPanels } from './PluginPanels';
import { importModule } from './importModule';
import type { PanelContext } from './panelContext';

vi.mock('./importModule');
const load = vi.mocked(importModule);

type Mount = (element: HTMLElement, context: PanelContext) => unknown;

let api: StubApi;
let setVisible: (isIntersecting: boolean) => void;

const panel = (name: string, place = 'device') => ({
  name,
  title: `Title of ${name}`,
  place,
  url: `/api/v1/${name}.js?v=1`,
});
const plugin = (name: string, ...panels: object[]) => ({ name, hooks: [], options: [], state: 'running', panels });

/** The modules by the names of their panels; one that is missing cannot be loaded. */
const serve = (modules: Record<string, unknown>) =>
  load.mockImplementation((url) => {
    const name = /\/(\w+)\.js/.exec(url)?.[1] ?? '';
    return name in modules
      ? Promise.resolve(modules[name] as Record<string, unknown>)
      : Promise.reject(new TypeError(`Failed to fetch dynamically imported module: ${url}`));
  });

const says =
  (text: string): Mount =>
  (element) =>
    void (element.textContent = text);

function Page() {
  const { setColorScheme } = useMantineColorScheme();
  return (
    <>
      <button onClick={() => setColorScheme('dark')}>Dark</button>
      <PluginPanels place="device" deviceId="d1" />
    </>
  );
}

const show = () => {
  const router = renderAt('/page', [{ path: '/page', element: <Page /> }]);
  return { router, leave: () => act(() => router.navigate('/elsewhere')) };
};

/** What a panel shows, inside its shadow tree. */
const shown = (id: string) => screen.queryByTestId(id)?.shadowRoot?.querySelector('.panel')?.textContent ?? null;
const seen = async () => {
  await screen.findByRole('heading', { name: 'Title of rates' });
  setVisible(true);
};

beforeEach(() => {
  vi.stubGlobal('reportError', vi.fn());
  const callbacks: ((entries: { isIntersecting: boolean }[]) => void)[] = [];
  setVisible = (isIntersecting) => act(() => callbacks.forEach((callback) => callback([{ isIntersecting }])));
  vi.stubGlobal(
    'IntersectionObserver',
    class {
      constructor(callback: (entries: { isIntersecting: boolean }[]) => void) {
        callbacks.push(callback);
      }
      observe() {}
      disconnect() {}
    },
  );
  api = new StubApi({ 'GET /plugins': { body: [plugin('bell', panel('rates')), plugin('plain')] } });
});
afterEach(() => {
  vi.unstubAllGlobals();
  load.mockReset();
});

test('a panel is loaded when it comes into view, once', async () => {
  serve({ rates: { mount: says('7 rings') } });
  show();
  await screen.findByRole('heading', { name: 'Title of rates' });
  expect(load).not.toHaveBeenCalled();
  setVisible(true);
  await waitFor(() => expect(shown('panel-bell-rates')).toBe('7 rings'));
  setVisible(false);
  setVisible(true);
  expect(load).toHaveBeenCalledTimes(1);
  expect(load).toHaveBeenCalledWith('/api/v1/rates.js?v=1');
});

test('panels of another place are not shown', async () => {
  api.set('GET /plugins', { body: [plugin('bell', panel('rates'), panel('all', 'system'))] });
  serve({ rates: { mount: says('') } });
  show();
  await seen();
  expect(screen.queryByText('Title of all')).not.toBeInTheDocument();
});

test('without panels, and without the list of plugins, there is nothing', async () => {
  api.set('GET /plugins', { status: 503, body: { message: 'the database is away' } });
  show();
  await waitFor(() => expect(api.all('GET /plugins')).toHaveLength(1));
  expect(screen.queryByTestId('plugin-panels')).not.toBeInTheDocument();
  expect(screen.queryByRole('alert')).not.toBeInTheDocument();
});

test('a panel gets the id of the device, the API and the theme, and hears of another theme', async () => {
  let context: PanelContext | undefined;
  const heard: string[] = [];
  const mount: Mount = (_, given) => {
    context = given;
    given.onTheme(() => {
      throw new Error('of one listener');
    });
    given.onTheme((theme) => heard.push(theme));
  };
  serve({ rates: { mount } });
  show();
  await seen();
  await waitFor(() => expect(context).toBeDefined());
  expect([context?.deviceId, context?.theme]).toEqual(['d1', 'light']);
  await userEvent.click(screen.getByRole('button', { name: 'Dark' }));
  await waitFor(() => expect(heard).toEqual(['dark']));
  expect(context?.theme).toBe('dark');
  api.set('GET /bell/d1', ({ query }) => ({ body: { doors: query.getAll('door') } }));
  expect(await context?.api('/bell/d1?door=a&door=b')).toEqual({ doors: ['a', 'b'] });
});

test('a panel is ended once when the page goes', async () => {
  const unmount = vi.fn(() => {
    throw new Error('too late');
  });
  serve({ rates: { mount: () => Promise.resolve(unmount) } });
  const { leave } = show();
  await seen();
  await waitFor(() => expect(screen.getByTestId('panel-bell-rates')).toHaveAttribute('data-state', 'shown'));
  await leave();
  expect(unmount).toHaveBeenCalledTimes(1);
  expect(reportError).toHaveBeenCalledTimes(1);
});

test('a panel that is complete only after the page has gone is ended then', async () => {
  const unmount = vi.fn();
  let complete: (value: unknown) => void = () => {};
  serve({ rates: { mount: () => new Promise((resolve) => (complete = resolve)) } });
  const { leave } = show();
  await seen();
  await waitFor(() => expect(load).toHaveBeenCalled());
  await leave();
  await act(async () => complete(unmount));
  await waitFor(() => expect(unmount).toHaveBeenCalledTimes(1));
});

test.each([
  ['it cannot be loaded', undefined, /Its module cannot be loaded/],
  ['it has no mount', { other: 1 }, /has no function 'mount'/],
  ['mount throws', { mount: () => { throw new Error('no bell'); } }, /No bell/], // prettier-ignore
  ['mount throws no error', { mount: () => { throw null; } }, /without saying why/], // prettier-ignore
  ['mount rejects', { mount: () => Promise.reject(new Error('no bell')) }, /No bell/],
])('a panel that fails because %s is a notice beside the others, and can be tried again', async (_, module, text) => {
  api.set('GET /plugins', { body: [plugin('bell', panel('rates')), plugin('clock', panel('hours'))] });
  const broken = (element: HTMLElement) => void (element.textContent = 'half of it');
  const mount = (module as { mount?: Mount } | undefined)?.mount;
  const withTraces = mount && { mount: (...given: Parameters<Mount>) => [broken(given[0]), mount(...given)][1] };
  serve({ ...(module && { rates: withTraces ?? module }), hours: { mount: says('12 o’clock') } });
  show();
  await seen();
  const notice = await screen.findByRole('status');
  expect(notice).toHaveTextContent('“bell”');
  expect(notice).toHaveTextContent(text);
  expect(shown('panel-bell-rates')).toBeNull();
  await waitFor(() => expect(shown('panel-clock-hours')).toBe('12 o’clock'));
  serve({ rates: { mount: says('7 rings') }, hours: {} });
  await userEvent.click(screen.getByRole('button', { name: 'Try again' }));
  await waitFor(() => expect(shown('panel-bell-rates')).toBe('7 rings'));
  expect(load).toHaveBeenLastCalledWith('/api/v1/rates.js?v=1&attempt=1');
  expect(screen.queryByRole('status')).not.toBeInTheDocument();
});

test('a panel that never completes is a notice', async () => {
  vi.useFakeTimers({ shouldAdvanceTime: true });
  serve({ rates: { mount: () => new Promise(() => {}) } });
  show();
  await seen();
  await waitFor(() => expect(load).toHaveBeenCalled());
  await act(() => vi.advanceTimersByTimeAsync(15_000));
  expect(await screen.findByRole('status')).toHaveTextContent('did not finish in time');
  vi.useRealTimers();
});

test('a link of a panel to a page of ours opens it without loading everything anew', async () => {
  const mount: Mount = (element) => {
    const link = document.createElement('a');
    link.href = '/elsewhere';
    link.textContent = 'Elsewhere';
    element.append(link);
  };
  serve({ rates: { mount } });
  const { router } = show();
  await seen();
  await waitFor(() => expect(shown('panel-bell-rates')).toBe('Elsewhere'));
  const link = screen.getByTestId('panel-bell-rates').shadowRoot?.querySelector('a');
  act(() => link?.click());
  await waitFor(() => expect(router.state.location.pathname).toBe('/elsewhere'));
});
