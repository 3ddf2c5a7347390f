// A column heading that sorts by its column; pressing it again reverses the order.
import { UnstyledButton } from '@mantine/core';
import { IconArrowDown, IconArrowUp } from '@tabler/icons-react';

interface SortHeaderProps {
  field: string;
  sort: string;
  onSort: (sort: string) => void;
  children: string;
  className?: string;
}

export function SortHeader({ field, sort, onSort, children, className }: SortHeaderProps) {
  const isUp = sort === field;
  const isDown = sort === `-${field}`;
  const Arrow = isDown ? IconArrowDown : IconArrowUp;
  return (
    <th scope="col" className={className} aria-sort={isUp ? 'ascending' : isDown ? 'descending' : 'none'}>
      <UnstyledButton
        fz="inherit"
        fw="inherit"
        c={isUp || isDown ? 'var(--vas-ink)' : 'inherit'}
        style={{ display: 'inline-flex', alignItems: 'center', gap: 4 }}
        onClick={() => onSort(isUp ? `-${field}` : field)}
      >
        {children}
        <Arrow size={13} stroke={2} style={{ opacity: isUp || isDown ? 1 : 0.25 }} aria-hidden />
      </UnstyledButton>
    </th>
  );
}
