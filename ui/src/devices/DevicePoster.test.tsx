// The newest picture of a camera: fetched only in sight, with its age where it is old.
import { MantineProvider } from '@mantine/core';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { act, render, screen, waitFor } from '@testing-library/react';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { DevicePoster } from './DevicePoster';

let asked: string[];
let setInSight: (isIntersecting: boolean) => void;
let takenAt: Date;
let status: number;

beforeEach(() => {
  asked = [];
  takenAt = new Date();
  status = 200;
  vi.stubGlobal('fetch', (url: string) => {
    asked.push(url);
    return Promise.resolve(
      new Response(status === 200 ? 'jpeg' : '{}', { status, headers: { 'Last-Modified': takenAt.toUTCString() } }),
    );
  });
  vi.stubGlobal(
    'IntersectionObserver',
    class {
      constructor(callback: (entries: { isIntersecting: boolean }[]) => void) {
        setInSight = (isIntersecting) => act(() => callback([{ isIntersecting }]));
      }
      observe() {}
      disconnect() {}
    },
  );
  URL.createObjectURL = () => 'blob:poster';
  URL.revokeObjectURL = () => {};
});
afterEach(() => vi.unstubAllGlobals());

const show = () =>
  render(
    <QueryClientProvider client={new QueryClient()}>
      <MantineProvider env="test">
        <DevicePoster deviceId="d1" name="Main gate" width={320} isRunning />
      </MantineProvider>
    </QueryClientProvider>,
  );

test('it is fetched once it is in sight', async () => {
  show();
  expect(asked).toEqual([]);
  setInSight(true);
  expect(await screen.findByRole('img', { name: 'Newest picture of Main gate' })).toHaveAttribute('src', 'blob:poster');
  expect(asked).toEqual(['/api/v1/devices/d1/poster.jpg?width=320']);
  expect(screen.queryByText(/ago$/)).not.toBeInTheDocument();
});

test('an old one says how old it is', async () => {
  takenAt = new Date(Date.now() - 3 * 3_600_000);
  show();
  setInSight(true);
  expect(await screen.findByText('3 h ago')).toBeInTheDocument();
});

test('where there is none, a sign of a camera stands for it', async () => {
  status = 404;
  show();
  setInSight(true);
  await waitFor(() => expect(asked).toHaveLength(1));
  expect(screen.queryByRole('img')).not.toBeInTheDocument();
});
