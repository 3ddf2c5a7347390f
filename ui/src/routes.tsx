// The pages by address. The code of a page is loaded when it is opened, or when a link to it is pointed at.
import type { ComponentType } from 'react';
import { matchRoutes, type RouteObject } from 'react-router';
import { AppFrame } from './frame/AppFrame';
import { PageCrash } from './frame/PageCrash';
import { loadPage } from './frame/PageNotLoaded';
import { NotFoundPage } from './pages/NotFoundPage';

const page = (path: string, importPage: () => Promise<ComponentType>): RouteObject => ({
  path,
  lazy: async () => ({ Component: await loadPage(importPage) }),
});

const PAGES: RouteObject[] = [
  page('/', () => import('./pages/DevicesPage').then((module) => module.DevicesPage)),
  page('/devices/new', () => import('./pages/NewDevicePage').then((module) => module.NewDevicePage)),
  page('/devices/:id', () => import('./pages/DevicePage').then((module) => module.DevicePage)),
  page('/devices/:id/edit', () => import('./pages/EditDevicePage').then((module) => module.EditDevicePage)),
  page('/devices/:id/recording', () =>
    import('./pages/RecordingSettingsPage').then((module) => module.RecordingSettingsPage),
  ),
  page('/devices/:id/plugins/:name', () =>
    import('./pages/PluginOptionsPage').then((module) => module.PluginOptionsPage),
  ),
  page('/plugins/:name', () => import('./pages/PluginOptionsPage').then((module) => module.PluginOptionsPage)),
  page('/plugins/:name/tags/:tag', () =>
    import('./pages/PluginOptionsPage').then((module) => module.PluginOptionsPage),
  ),
  page('/devices/:id/snapshots', () =>
    import('./pages/DeviceSnapshotsPage').then((module) => module.DeviceSnapshotsPage),
  ),
  page('/events', () => import('./pages/EventsPage').then((module) => module.EventsPage)),
  page('/recordings', () => import('./pages/RecordingsPage').then((module) => module.RecordingsPage)),
  page('/recordings/:id', () => import('./pages/RecordedDaysPage').then((module) => module.RecordedDaysPage)),
  page('/snapshots', () => import('./pages/SnapshotsPage').then((module) => module.SnapshotsPage)),
  page('/bookmarks', () => import('./pages/BookmarksPage').then((module) => module.BookmarksPage)),
  page('/notifications', () => import('./pages/NotificationsPage').then((module) => module.NotificationsPage)),
  page('/health', () => import('./pages/HealthPage').then((module) => module.HealthPage)),
];

export const ROUTES: RouteObject[] = [
  {
    element: <AppFrame />,
    errorElement: <PageCrash />,
    children: [
      {
        errorElement: <PageCrash />,
        // The frame is shown while the first page is loading.
        hydrateFallbackElement: <></>,
        children: [...PAGES, { path: '*', element: <NotFoundPage /> }],
      },
    ],
  },
];

/** Loads the pages of links ahead, as soon as one is pointed at, touched or focused. */
export function preloadPointedPages(): void {
  const loadAhead = ({ target }: Event) => {
    const link = target instanceof Element ? target.closest('a') : null;
    if (!link || link.origin !== window.location.origin) return;
    const match = matchRoutes(PAGES, link.pathname)?.[0];
    const lazy = match?.route.lazy;
    if (typeof lazy === 'function') lazy().catch(() => {});
  };
  for (const event of ['pointerover', 'touchstart', 'focusin'])
    document.addEventListener(event, loadAhead, { passive: true });
}
