// The frame of every page: logo, navigation, service health and colour scheme.
import {
  IconActivityHeartbeat,
  IconBell,
  IconBook2,
  IconBookmark,
  IconMovie,
  IconPhoto,
  IconVideo,
} from '@tabler/icons-react';
import { Link, NavLink, Outlet, ScrollRestoration } from 'react-router';
import { BrandMark } from './BrandMark';
import { ClockMenu } from './ClockMenu';
import { ColorSchemeMenu } from './ColorSchemeMenu';
import { LiveMark } from './LiveMark';
import { ServiceNotice } from './ServiceNotice';
import { useLiveUpdates } from '../live/useLiveUpdates';
import classes from './AppFrame.module.css';

const PAGES = [
  { to: '/', label: 'Cameras', Icon: IconVideo },
  { to: '/recordings', label: 'Recordings', Icon: IconMovie },
  { to: '/snapshots', label: 'Snapshots', Icon: IconPhoto },
  { to: '/bookmarks', label: 'Bookmarks', Icon: IconBookmark },
  { to: '/notifications', label: 'Notifications', Icon: IconBell },
  { to: '/health', label: 'Health', Icon: IconActivityHeartbeat },
];

export function AppFrame() {
  useLiveUpdates();
  return (
    <>
      <a className={classes.skip} href="#content">
        Skip to content
      </a>
      <header className={classes.header}>
        <div className={classes.bar}>
          <Link to="/" className={`${classes.brand} target`} aria-label="VAS, cameras">
            <BrandMark />
            <span className={classes.brandName}>VAS</span>
          </Link>
          <nav className={classes.nav} aria-label="Main">
            {PAGES.map(({ to, label, Icon }) => (
              <NavLink key={to} to={to} end={to === '/'} className={classes.link}>
                <Icon size={17} stroke={1.7} aria-hidden />
                {label}
              </NavLink>
            ))}
            <a href="/docs" className={`${classes.link} ${classes.spare}`}>
              <IconBook2 size={17} stroke={1.7} aria-hidden />
              API
            </a>
          </nav>
          <div className={classes.end}>
            <ServiceNotice />
            <LiveMark />
            <ClockMenu />
            <ColorSchemeMenu />
          </div>
        </div>
      </header>
      <main id="content" className={classes.main} tabIndex={-1}>
        <Outlet />
      </main>
      <ScrollRestoration />
    </>
  );
}
