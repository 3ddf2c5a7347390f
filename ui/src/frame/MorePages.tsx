// On a phone: the button at the end of the bar; it opens a sheet with the pages that the bar has no room for.
import { UnstyledButton } from '@mantine/core';
import { IconDots } from '@tabler/icons-react';
import { useState } from 'react';
import { useLocation } from 'react-router';
import { laterDialog } from './later';
import { OTHER_PAGES } from './navigation';
import frame from './AppFrame.module.css';

const MoreSheet = laterDialog(() => import('./MoreSheet').then((module) => module.MoreSheet));

export function MorePages() {
  const [isOpen, setOpen] = useState(false);
  const { pathname } = useLocation();
  const isCurrent = OTHER_PAGES.some(({ to }) => pathname === to || pathname.startsWith(`${to}/`));
  return (
    <>
      <UnstyledButton
        className={`${frame.link} ${frame.more}`}
        aria-haspopup="dialog"
        aria-expanded={isOpen}
        data-current={isCurrent || undefined}
        onClick={() => setOpen(true)}
      >
        <IconDots size={17} stroke={1.7} aria-hidden />
        More
      </UnstyledButton>
      <MoreSheet isOpen={isOpen} onClose={() => setOpen(false)} />
    </>
  );
}
