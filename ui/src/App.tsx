// Providers and routes.
import { localStorageColorSchemeManager, MantineProvider } from '@mantine/core';
import { ModalsProvider } from '@mantine/modals';
import { QueryClientProvider } from '@tanstack/react-query';
import { createBrowserRouter, RouterProvider } from 'react-router';
import { AppFrame } from './frame/AppFrame';
import { Notices } from './frame/Notices';
import { PageCrash } from './frame/PageCrash';
import { BookmarksPage } from './pages/BookmarksPage';
import { DevicePage } from './pages/DevicePage';
import { DevicesPage } from './pages/DevicesPage';
import { DeviceSnapshotsPage } from './pages/DeviceSnapshotsPage';
import { EditDevicePage } from './pages/EditDevicePage';
import { HealthPage } from './pages/HealthPage';
import { NewDevicePage } from './pages/NewDevicePage';
import { NotFoundPage } from './pages/NotFoundPage';
import { RecordedDaysPage } from './pages/RecordedDaysPage';
import { RecordingSettingsPage } from './pages/RecordingSettingsPage';
import { RecordingsPage } from './pages/RecordingsPage';
import { SnapshotsPage } from './pages/SnapshotsPage';
import { queryClient } from './queryClient';
import { theme } from './theme';

const colorSchemeManager = localStorageColorSchemeManager({ key: 'vas.color-scheme' });

const router = createBrowserRouter([
  {
    element: <AppFrame />,
    errorElement: <PageCrash />,
    children: [
      {
        errorElement: <PageCrash />,
        children: [
          { path: '/', element: <DevicesPage /> },
          { path: '/devices/new', element: <NewDevicePage /> },
          { path: '/devices/:id', element: <DevicePage /> },
          { path: '/devices/:id/edit', element: <EditDevicePage /> },
          { path: '/devices/:id/recording', element: <RecordingSettingsPage /> },
          { path: '/devices/:id/snapshots', element: <DeviceSnapshotsPage /> },
          { path: '/recordings', element: <RecordingsPage /> },
          { path: '/recordings/:id', element: <RecordedDaysPage /> },
          { path: '/snapshots', element: <SnapshotsPage /> },
          { path: '/bookmarks', element: <BookmarksPage /> },
          { path: '/health', element: <HealthPage /> },
          { path: '*', element: <NotFoundPage /> },
        ],
      },
    ],
  },
]);

export function App() {
  return (
    <QueryClientProvider client={queryClient}>
      <MantineProvider theme={theme} defaultColorScheme="auto" colorSchemeManager={colorSchemeManager}>
        <ModalsProvider modalProps={{ centered: true, radius: 'md' }}>
          <Notices />
          <RouterProvider router={router} />
        </ModalsProvider>
      </MantineProvider>
    </QueryClientProvider>
  );
}
