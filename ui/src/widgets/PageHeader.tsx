// A page's heading with its back link, its badge and its actions.
import { Anchor, Group, Text, Title } from '@mantine/core';
import { IconChevronLeft } from '@tabler/icons-react';
import { useEffect, useRef, type ReactNode } from 'react';
import { Link, useLocation } from 'react-router';
import classes from './PageHeader.module.css';

interface PageHeaderProps {
  title: string;
  back?: { to: string; label: string };
  beside?: ReactNode;
  /** A longer title is cut off. */
  lines?: 1 | 2;
  children?: ReactNode;
}

/** The document's first page, until another one is opened: a browser gives it the focus itself. */
const visit = { firstKey: '', hasMoved: false };

export function PageHeader({ title, back, beside, lines = 2, children }: PageHeaderProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  const { key } = useLocation();
  // A page that was navigated to is announced, and its first tab stop is the next one.
  useEffect(() => {
    visit.firstKey ||= key;
    visit.hasMoved ||= key !== visit.firstKey;
    if (visit.hasMoved) heading.current?.focus({ preventScroll: true });
    // Not when only the query changes.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, []);
  useEffect(() => {
    document.title = `${title} · VAS`;
  }, [title]);
  return (
    <div className={classes.header}>
      {back && (
        <Anchor
          component={Link}
          to={back.to}
          size="sm"
          c="dimmed"
          title={back.label}
          className="target"
          style={{ display: 'inline-flex', alignItems: 'center', gap: 2, marginLeft: -4, maxWidth: '100%' }}
        >
          <IconChevronLeft size={16} style={{ flex: 'none' }} aria-hidden />
          <Text span inherit truncate>
            {back.label}
          </Text>
        </Anchor>
      )}
      <div className={classes.row}>
        <div className={classes.title}>
          <Title
            order={1}
            ref={heading}
            tabIndex={-1}
            style={{ overflowWrap: 'anywhere', minWidth: 0, outline: 'none' }}
            lineClamp={lines}
            title={title}
          >
            {title}
          </Title>
          {beside}
        </div>
        {children && <Group gap="xs">{children}</Group>}
      </div>
    </div>
  );
}
