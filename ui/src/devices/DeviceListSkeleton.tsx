// Placeholder of the device list while it loads.
import { Skeleton } from '@mantine/core';

export function DeviceListSkeleton({ rows = 6 }: { rows?: number }) {
  return (
    <div className="surface" aria-busy="true" aria-label="Loading cameras" role="status">
      {Array.from({ length: rows }, (_, row) => (
        <div
          key={row}
          style={{
            display: 'flex',
            alignItems: 'center',
            gap: '1.5rem',
            height: '3.75rem',
            padding: '0 0.75rem',
            borderTop: row ? '1px solid var(--vas-line)' : undefined,
          }}
        >
          <Skeleton height={24} width={110} radius="xl" style={{ flex: 'none' }} />
          <Skeleton height={14} width={`${34 - ((row * 7) % 16)}%`} />
        </div>
      ))}
    </div>
  );
}
