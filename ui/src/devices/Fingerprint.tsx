// The SHA-256 fingerprint of a certificate, in groups that people can compare and lines can break at.
const GROUP = 4;

export function Fingerprint({ text }: { text: string }) {
  const groups = Array.from({ length: Math.ceil(text.length / GROUP) }, (_, index) =>
    text.slice(index * GROUP, (index + 1) * GROUP),
  );
  return (
    <span style={{ fontFamily: 'var(--mantine-font-family-monospace)', fontSize: '0.75rem' }} title={text}>
      {groups.join(' ')}
    </span>
  );
}
