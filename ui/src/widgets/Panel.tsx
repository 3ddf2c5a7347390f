// A titled section of a page.
import { Title } from '@mantine/core';
import { useId, type ReactNode } from 'react';

export function Panel({ title, end, children }: { title: string; end?: ReactNode; children: ReactNode }) {
  const id = useId();
  return (
    <section className="surface" aria-labelledby={id} style={{ padding: '0.75rem 1rem 1rem' }}>
      <div
        style={{
          display: 'flex',
          alignItems: 'center',
          justifyContent: 'space-between',
          gap: 8,
          marginBottom: '0.5rem',
          minHeight: 28,
        }}
      >
        <Title order={2} fz="sm" id={id}>
          {title}
        </Title>
        {end}
      </div>
      {children}
    </section>
  );
}
