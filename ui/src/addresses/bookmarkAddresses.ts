// Addresses of the pages for bookmarks and snapshots.

/** The bookmarks page with one bookmark open. */
export const bookmarkAddress = (id: string): string => `/bookmarks?bookmark=${encodeURIComponent(id)}`;

/** The bookmarks of one camera. */
export const deviceBookmarksAddress = (deviceId: string): string => `/bookmarks?device=${encodeURIComponent(deviceId)}`;

/** A camera's scheduled snapshots and time-lapses. */
export const schedulesAddress = (deviceId: string): string => `/devices/${encodeURIComponent(deviceId)}/snapshots`;

/** The gallery with one snapshot open. */
export const snapshotAddress = (id: string): string => `/snapshots?snapshot=${encodeURIComponent(id)}`;

/** The gallery of one camera. */
export const galleryAddress = (deviceId: string): string => `/snapshots?device=${encodeURIComponent(deviceId)}`;
