// Parts that are loaded when they are first shown.
import { Modal } from '@mantine/core';
import { screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { useState } from 'react';
import { afterEach, expect, test, vi } from 'vitest';
import { renderAt } from '../../test/render';
import { later, laterDialog } from './later';

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const Greeting = ({ name }: { name: string }) => <p>Hello {name}</p>;

test('the placeholder holds the place of a part until it is loaded', async () => {
  let finish = () => {};
  const Later = later(
    () => new Promise<typeof Greeting>((resolve) => (finish = () => resolve(Greeting))),
    <p>Loading</p>,
  );
  renderAt('/', [{ path: '/', element: <Later name="Ada" /> }]);
  expect(await screen.findByText('Loading')).toBeInTheDocument();
  finish();
  expect(await screen.findByText('Hello Ada')).toBeInTheDocument();
  expect(screen.queryByText('Loading')).not.toBeInTheDocument();
});

test('a part that cannot be loaded is asked for again', async () => {
  vi.useFakeTimers({ shouldAdvanceTime: true });
  vi.stubGlobal('fetch', () => Promise.reject(new TypeError('no network')));
  const load = vi.fn<() => Promise<typeof Greeting>>().mockRejectedValueOnce(new TypeError('no network'));
  load.mockResolvedValue(Greeting);
  const Later = later(load);
  renderAt('/', [{ path: '/', element: <Later name="Ada" /> }]);
  await waitFor(() => expect(load).toHaveBeenCalledTimes(1));
  await vi.advanceTimersByTimeAsync(5_000);
  expect(await screen.findByText('Hello Ada')).toBeInTheDocument();
});

test('a dialog is loaded when it is first opened, and gives the focus back', async () => {
  const load = vi.fn(() =>
    Promise.resolve(({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) => (
      <Modal opened={isOpen} onClose={onClose} title="Question" transitionProps={{ duration: 0 }}>
        <button onClick={onClose}>Answer</button>
      </Modal>
    )),
  );
  const Dialog = laterDialog(load);
  function Page() {
    const [isOpen, setOpen] = useState(false);
    return (
      <>
        <button onClick={() => setOpen(true)}>Ask</button>
        <Dialog isOpen={isOpen} onClose={() => setOpen(false)} />
      </>
    );
  }
  renderAt('/', [{ path: '/', element: <Page /> }]);
  const ask = await screen.findByRole('button', { name: 'Ask' });
  expect(load).not.toHaveBeenCalled();
  await userEvent.click(ask);
  await userEvent.click(await screen.findByRole('button', { name: 'Answer' }));
  await waitFor(() => expect(screen.queryByRole('dialog')).not.toBeInTheDocument());
  await waitFor(() => expect(ask).toHaveFocus());
});
