// The range of items shown, the page size and the pagination of a list.
import { Group, Pagination, Select, Text } from '@mantine/core';

interface ListFooterProps {
  page: number;
  /** Singular noun of the items. */
  noun?: string;
  pageSize: number;
  pageSizes: number[];
  shown: number;
  total: number;
  totalPages: number;
  onPage: (page: number) => void;
  onPageSize: (pageSize: number) => void;
}

export function ListFooter({
  noun = 'camera',
  page,
  pageSize,
  pageSizes,
  shown,
  total,
  totalPages,
  onPage,
  onPageSize,
}: ListFooterProps) {
  const first = (page - 1) * pageSize + 1;
  const smallest = pageSizes[0] ?? pageSize;
  return (
    <Group justify="space-between" mt="sm" mih={36}>
      <Text size="sm" c="dimmed">
        {total <= shown && page === 1
          ? `${total} ${noun}${total === 1 ? '' : 's'}`
          : `${first}–${first + shown - 1} of ${total} ${noun}s`}
      </Text>
      <Group gap="sm">
        {total > smallest && (
          <Select
            aria-label={`${noun.charAt(0).toUpperCase()}${noun.slice(1)}s per page`}
            size="xs"
            w={120}
            data={pageSizes.map((size) => ({ value: String(size), label: `${size} per page` }))}
            value={String(pageSize)}
            onChange={(value) => onPageSize(Number(value))}
            allowDeselect={false}
          />
        )}
        {totalPages > 1 && (
          <Pagination
            size="sm"
            total={totalPages}
            value={page}
            onChange={onPage}
            getItemProps={(item) => ({ 'aria-label': `Page ${item}` })}
            getControlProps={(control) => ({ 'aria-label': `${control} page` })}
          />
        )}
      </Group>
    </Group>
  );
}
