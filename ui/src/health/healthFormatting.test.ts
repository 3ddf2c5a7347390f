// Names and values of the details of a component.
import { expect, test } from 'vitest';
import { detailName, detailText } from './healthFormatting';

test("a component's details are named without their unit and formatted with it", () => {
  expect(detailName('free_bytes')).toBe('Free');
  expect(detailText('free_bytes', 4_100_000_000)).toBe('4.1 GB');
  expect(detailText('workers', [{}, {}])).toBe('2');
});
