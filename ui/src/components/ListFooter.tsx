// Which part of the list is shown, and the way to the rest.
import { Group, Pagination, Select, Text } from '@mantine/core';

interface ListFooterProps {
  page: number;
  pageSize: number;
  pageSizes: number[];
  shown: number;
  total: number;
  totalPages: number;
  onPage: (page: number) => void;
  onPageSize: (pageSize: number) => void;
}

export function ListFooter({ page, pageSize, pageSizes, shown, total, totalPages, onPage, onPageSize }: ListFooterProps) {
  const first = (page - 1) * pageSize + 1;
  const smallest = pageSizes[0] ?? pageSize;
  return (
    <Group justify="space-between" mt="sm" mih={36}>
      <Text size="sm" c="dimmed">
        {total <= shown && page === 1 ? `${total} ${total === 1 ? 'camera' : 'cameras'}` : `${first}–${first + shown - 1} of ${total} cameras`}
      </Text>
      <Group gap="sm">
        {total > smallest && (
          <Select
            aria-label="Cameras on a page"
            size="xs"
            w={120}
            data={pageSizes.map((size) => ({ value: String(size), label: `${size} a page` }))}
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
