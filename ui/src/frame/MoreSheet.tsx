// The sheet on a phone with the pages that the bar has no room for.
import { Drawer } from '@mantine/core';
import { NavLink } from 'react-router';
import { API_DOCUMENT, OTHER_PAGES } from './navigation';
import classes from './MoreSheet.module.css';

export function MoreSheet({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  return (
    <Drawer
      opened={isOpen}
      onClose={onClose}
      position="bottom"
      title="More pages"
      radius="md"
      classNames={{ content: classes.sheet ?? '' }}
    >
      <nav className={classes.list} aria-label="More pages">
        {OTHER_PAGES.map(({ to, label, Icon }) => (
          <NavLink key={to} to={to} className={classes.link} onClick={onClose}>
            <Icon size={22} stroke={1.6} aria-hidden />
            {label}
          </NavLink>
        ))}
        <a href={API_DOCUMENT.to} className={classes.link}>
          <API_DOCUMENT.Icon size={22} stroke={1.6} aria-hidden />
          {API_DOCUMENT.label}
        </a>
      </nav>
    </Drawer>
  );
}
