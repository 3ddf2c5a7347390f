// Moments formatted in a time zone.
import { expect, test } from 'vitest';
import { formatTime } from './zonedTimes';

test('a repeated hour, and a time on another clock than the viewer’s, is formatted with its zone', () => {
  const [first, second] = ['2026-10-25T00:30:00Z', '2026-10-25T01:30:00Z'].map((at) =>
    formatTime('Europe/Berlin', Date.parse(at)),
  );
  expect(first).not.toBe(second);
  expect(formatTime('Europe/Berlin', Date.parse('2026-06-01T00:30:00Z'))).toBe('02:30:00 CEST');
  expect(formatTime('UTC', Date.parse('2026-06-01T00:30:00Z'))).toBe('00:30:00');
});
