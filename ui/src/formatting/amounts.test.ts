// Amounts are rounded without becoming all or nothing.
import { expect, test } from 'vitest';
import { formatBytes, formatShare } from './amounts';
import { formatDaysLeft } from '../recordings/StoragePanel';

test('bytes have decimal units and few digits', () => {
  expect([0, 999, 1_500, 999_600, 146_000_000_000, 2_480_000_000_000, null].map(formatBytes)).toEqual([
    '0 B',
    '999 B',
    '1.5 kB',
    '1.0 MB',
    '146 GB',
    '2.5 TB',
    '–',
  ]);
});

test('only all is 100 % and only nothing is 0 %', () => {
  expect([1, 0.99999, 0.9985, 0.958, 0.004, 0.0001, 0, null].map(formatShare)).toEqual([
    '100 %',
    '> 99.9 %',
    '99.8 %',
    '95 %',
    '1 %',
    '< 0.1 %',
    '0 %',
    '–',
  ]);
});

test('the remaining time of a disk is rounded', () => {
  expect([0.01, 0.9, 9.75, 1_000, 72_785, null].map(formatDaysLeft)).toEqual([
    'less than an hour',
    'about 22 h',
    'about 10 days',
    'about 3 years',
    'more than 10 years',
    '–',
  ]);
});
