// Shows pushed notifications, with the picture of their event, and opens the moment that they report.
'use strict';

const ICON = '/mark.svg';

self.addEventListener('install', () => self.skipWaiting());
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));

self.addEventListener('push', (event) => {
  let message = {};
  try {
    message = event.data.json();
  } catch {
    // A message that is no JSON is shown without details: browsers demand that every push is shown.
  }
  const options = {
    body: message.body ?? '',
    icon: ICON,
    badge: ICON,
    // A repetition replaces the notification that is shown already.
    tag: message.id ?? 'vas',
    timestamp: message.at,
    data: { link: message.link ?? '/' },
  };
  if (message.snapshot_id)
    options.image = `/api/v1/snapshots/${encodeURIComponent(message.snapshot_id)}/image?width=640`;
  event.waitUntil(self.registration.showNotification(message.title ?? 'VAS', options));
});

self.addEventListener('notificationclick', (event) => {
  event.notification.close();
  // Only addresses of this UI: the link comes from outside.
  const link = new URL(event.notification.data?.link ?? '/', self.location.origin);
  const address = link.origin === self.location.origin ? link.href : self.location.origin;
  event.waitUntil(
    self.clients.matchAll({ type: 'window', includeUncontrolled: true }).then(async (windows) => {
      const open = windows.find((client) => 'navigate' in client);
      if (!open) return self.clients.openWindow(address);
      await open.navigate(address).catch(() => self.clients.openWindow(address));
      return open.focus();
    }),
  );
});
