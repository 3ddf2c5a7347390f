// The frame of every page: logo, navigation, service health and colour scheme.
import { Link, NavLink, Outlet, ScrollRestoration } from 'react-router';
import { BrandMark } from './BrandMark';
import { ClockMenu } from './ClockMenu';
import { ColorSchemeMenu } from './ColorSchemeMenu';
import { LiveMark } from './LiveMark';
import { MorePages } from './MorePages';
import { API_DOCUMENT, NAVIGATION } from './navigation';
import { ServiceNotice } from './ServiceNotice';
import { useLiveUpdates } from '../live/useLiveUpdates';
import classes from './AppFrame.module.css';

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
            {NAVIGATION.map(({ to, label, Icon, isMain }) => (
              <NavLink key={to} to={to} end={to === '/'} className={`${classes.link} ${isMain ? '' : classes.spare}`}>
                <Icon size={17} stroke={1.7} aria-hidden />
                {label}
              </NavLink>
            ))}
            <a href={API_DOCUMENT.to} className={`${classes.link} ${classes.spare}`}>
              <API_DOCUMENT.Icon size={17} stroke={1.7} aria-hidden />
              {API_DOCUMENT.label}
            </a>
            <MorePages />
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
