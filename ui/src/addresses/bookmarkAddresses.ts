// Where bookmarks and snapshots are found in the UI.

/** The page of bookmarks with one of them opened. */
export const bookmarkAddress = (id: string): string => `/bookmarks?bookmark=${encodeURIComponent(id)}`;

/** The bookmarks of one camera. */
export const deviceBookmarksAddress = (deviceId: string): string => `/bookmarks?device=${encodeURIComponent(deviceId)}`;

/** A camera's scheduled snapshots and time-lapses. */
export const schedulesAddress = (deviceId: string): string => `/devices/${encodeURIComponent(deviceId)}/snapshots`;

/** The gallery with one snapshot in full view. */
export const snapshotAddress = (id: string): string => `/snapshots?snapshot=${encodeURIComponent(id)}`;

/** The gallery of one camera. */
export const galleryAddress = (deviceId: string): string => `/snapshots?device=${encodeURIComponent(deviceId)}`;
