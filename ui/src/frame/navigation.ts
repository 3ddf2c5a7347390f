// The pages of the main navigation. On a phone those with `isMain` are in the bar, the others below “More”.
import {
  IconActivityHeartbeat,
  IconBell,
  IconBook2,
  IconBookmark,
  IconEye,
  IconMovie,
  IconPhoto,
  IconVideo,
} from '@tabler/icons-react';

export interface NavigationPage {
  to: string;
  label: string;
  Icon: typeof IconVideo;
  isMain: boolean;
}

export const NAVIGATION: NavigationPage[] = [
  { to: '/', label: 'Cameras', Icon: IconVideo, isMain: true },
  { to: '/events', label: 'Events', Icon: IconEye, isMain: true },
  { to: '/recordings', label: 'Recordings', Icon: IconMovie, isMain: true },
  { to: '/snapshots', label: 'Snapshots', Icon: IconPhoto, isMain: true },
  { to: '/bookmarks', label: 'Bookmarks', Icon: IconBookmark, isMain: false },
  { to: '/notifications', label: 'Notifications', Icon: IconBell, isMain: false },
  { to: '/health', label: 'Health', Icon: IconActivityHeartbeat, isMain: false },
];

/** Those that the phone's bar has no room for. */
export const OTHER_PAGES = NAVIGATION.filter(({ isMain }) => !isMain);

/** Not a page of the application. */
export const API_DOCUMENT = { to: '/docs', label: 'API', Icon: IconBook2 };
