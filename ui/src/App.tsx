// Providers around the pages.
import { localStorageColorSchemeManager, MantineProvider } from '@mantine/core';
import { ModalsProvider } from '@mantine/modals';
import { QueryClientProvider } from '@tanstack/react-query';
import { lazy, Suspense } from 'react';
import { createBrowserRouter, RouterProvider } from 'react-router';
import { loadPart } from './frame/PageNotLoaded';
import { untilNoticesAreNeeded } from './loading';
import { queryClient } from './queryClient';
import { preloadPointedPages, ROUTES } from './routes';
import { theme } from './theme';

const colorSchemeManager = localStorageColorSchemeManager({ key: 'vas.color-scheme' });

const Notices = lazy(async () => {
  await untilNoticesAreNeeded();
  return { default: await loadPart(() => import('./frame/Notices').then((module) => module.Notices)) };
});

const router = createBrowserRouter(ROUTES);
preloadPointedPages();

export function App() {
  return (
    <QueryClientProvider client={queryClient}>
      <MantineProvider theme={theme} defaultColorScheme="auto" colorSchemeManager={colorSchemeManager}>
        <ModalsProvider modalProps={{ centered: true, radius: 'md' }}>
          <Suspense>
            <Notices />
          </Suspense>
          <RouterProvider router={router} />
        </ModalsProvider>
      </MantineProvider>
    </QueryClientProvider>
  );
}
