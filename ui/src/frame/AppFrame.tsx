// The frame round every page: mark, places to go, the service's health, light or dark.
import { IconActivityHeartbeat, IconBook2, IconBookmark, IconMovie, IconPhoto, IconVideo } from '@tabler/icons-react';
import { Link, NavLink, Outlet, ScrollRestoration } from 'react-router';
import { BrandMark } from './BrandMark';
import { ColorSchemeMenu } from './ColorSchemeMenu';
import { ServiceNotice } from './ServiceNotice';
import classes from './AppFrame.module.css';

export function AppFrame() {
  return (
    <>
      <a className={classes.skip} href="#content">
        Skip to content
      </a>
      <header className={classes.header}>
        <div className={classes.bar}>
          <Link to="/" className={classes.brand} aria-label="VAS, to the cameras">
            <BrandMark />
            <span className={classes.brandName}>VAS</span>
          </Link>
          <nav className={classes.nav} aria-label="Main">
            <NavLink to="/" end className={classes.link}>
              <IconVideo size={17} stroke={1.7} aria-hidden />
              Cameras
            </NavLink>
            <NavLink to="/recordings" className={classes.link}>
              <IconMovie size={17} stroke={1.7} aria-hidden />
              Recordings
            </NavLink>
            <NavLink to="/snapshots" className={classes.link}>
              <IconPhoto size={17} stroke={1.7} aria-hidden />
              Snapshots
            </NavLink>
            <NavLink to="/bookmarks" className={classes.link}>
              <IconBookmark size={17} stroke={1.7} aria-hidden />
              Bookmarks
            </NavLink>
            <NavLink to="/health" className={classes.link}>
              <IconActivityHeartbeat size={17} stroke={1.7} aria-hidden />
              Health
            </NavLink>
            <a href="/docs" className={`${classes.link} ${classes.spare}`}>
              <IconBook2 size={17} stroke={1.7} aria-hidden />
              API
            </a>
          </nav>
          <div className={classes.end}>
            <ServiceNotice />
            <ColorSchemeMenu />
          </div>
        </div>
      </header>
      <main id="content" className={classes.main} tabIndex={-1} style={{ outline: 'none' }}>
        <Outlet />
      </main>
      <ScrollRestoration />
    </>
  );
}
