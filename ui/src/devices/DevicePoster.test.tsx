// The newest picture of a camera: fetched only when visible, with its age when it is old.
import { MantineProvider } from '@mantine/core';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { act, render, screen, waitFor } from '@testing-library/react';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { DevicePoster } from './DevicePoster';

let requested: string[];
let setVisible: (isIntersecting: boolean) => void;
let takenAt: Date;
let status: number;

beforeEach(() => {
  requested = [];
  takenAt = new Date();
  status = 200;
  vi.stubGlobal('fetch', (url: string) => {
    requested.push(url);
    return Promise.resolve(
      new Response(status === 200 ? 'jpeg' : '{}', { status, headers: { 'Last-Modified': takenAt.toUTCString() } }),
    );
  });
  vi.stubGlobal(
    'IntersectionObserver',
    class {
      constructor(callback: (entries: { isIntersecting: boolean }[]) => void) {
        setVisible = (isIntersecting) => act(() => callback([{ isIntersecting }]));
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

test('the picture is fetched once it is visible', async () => {
  show();
  expect(requested).toEqual([]);
  setVisible(true);
  expect(await screen.findByRole('img', { name: 'Newest picture of Main gate' })).toHaveAttribute('src', 'blob:poster');
  expect(requested).toEqual(['/api/v1/devices/d1/poster.jpg?width=320']);
  expect(screen.queryByText(/ago$/)).not.toBeInTheDocument();
});

test('an old picture shows its age', async () => {
  takenAt = new Date(Date.now() - 3 * 3_600_000);
  show();
  setVisible(true);
  expect(await screen.findByText('3 h ago')).toBeInTheDocument();
});

test('a camera without a picture shows an icon', async () => {
  status = 404;
  show();
  setVisible(true);
  await waitFor(() => expect(requested).toHaveLength(1));
  expect(screen.queryByRole('img')).not.toBeInTheDocument();
});
