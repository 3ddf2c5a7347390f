// The filter in the address: what cannot be understood is ignored, and days are those of the chosen clock.
import { expect, test } from 'vitest';
import { countFilters, filterOf, formatEventQuery, NO_FILTER, parseEventQuery } from './eventFilter';

const parse = (text: string) => parseEventQuery(new URLSearchParams(text));
const filter = (text: string) => filterOf(parse(text), 'Europe/Berlin', '2026-11-22');

test('a filter survives the address', () => {
  const text =
    'device=a&device=b&kind=motion&label=person&zone=Front+door&score=70&picture=1&when=custom&from=2026-11-20T08%3A00&to=2026-11-20T09%3A30';
  expect(formatEventQuery(parse(text)).toString()).toBe(text);
  expect(countFilters(parse(text))).toBe(7);
  expect(formatEventQuery(NO_FILTER).toString()).toBe('');
});

test('nonsense is no filter', () => {
  expect(parse('score=abc&when=never&from=yesterday&to=2026-99-99T10:00&picture=yes&device=&label=a&label=a')).toEqual({
    ...NO_FILTER,
    labels: ['a'],
  });
  expect(parse('score=-5').minScore).toBe(0);
  expect(parse(Array.from({ length: 50 }, (_, index) => `zone=${index}`).join('&')).zones).toHaveLength(20);
});

test('days and wall times are those of the zone; a range that is typed backwards is turned round', () => {
  expect(filter('when=yesterday')).toMatchObject({ from: '2026-11-20T23:00:00.000Z', to: '2026-11-21T23:00:00.000Z' });
  expect(filter('when=7d')).toMatchObject({ from: '2026-11-15T23:00:00.000Z', to: null });
  const range = { from: '2026-11-20T07:00:00.000Z', to: '2026-11-20T08:31:00.000Z' };
  expect(filter('from=2026-11-20T08:00&to=2026-11-20T09:30')).toMatchObject(range);
  expect(filter('from=2026-11-20T09:30&to=2026-11-20T08:00')).toMatchObject(range);
  expect(filter('score=65').minScore).toBe(0.65);
});
