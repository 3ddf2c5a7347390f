// What the screen may say about a recording.
import { expect, test } from 'vitest';
import { buildRecording } from '../../test/recordingFactories';
import { formatRetention } from './retentionText';
import { shownRecording, shownState } from './shownRecording';

const AWAY = { code: 'recorder_away', message: 'no record worker runs', remedy: null };
const retention = buildRecording().retention;

test('nothing is called recording while its camera sends nothing', () => {
  expect(shownState('recording', undefined)).toBe('recording');
  expect(shownState('recording', { desired: 'running', observed: 'running' })).toBe('recording');
  expect(shownState('recording', { desired: 'running', observed: 'reconnecting' })).toBe('interrupted');
  expect(shownState('recording', { desired: 'stopped', observed: 'stopping' })).toBe('off');
  expect(shownState('waiting', { desired: 'running', observed: 'failed' })).toBe('waiting');
});

test('a recorder that is away has time to start before it is an alarm', () => {
  const recording = buildRecording({ observed: 'off', reason: AWAY });
  expect(shownRecording(recording, undefined, true)).toMatchObject({
    observed: 'waiting',
    reason: { message: 'recording is starting' },
  });
  expect(shownRecording(recording, undefined, false)).toBe(recording);
});

test.each([
  [{}, null, '14 days'],
  [{ expected_seconds: 46_800, limit: 'store' as const }, 5_368_709_120, '≈ 13 h (limit of all cameras: 5.4 GB)'],
  [{ expected_seconds: 432_000, limit: 'disk' as const }, null, '≈ 5 days (size of the disk)'],
  [{ expected_seconds: 432_000, limit: 'size' as const, keep_bytes: 2e9 }, null, '≈ 5 days (at most 2.0 GB)'],
  [{ expected_seconds: null, limit: null, keep_days: null }, null, 'Until the disk is full'],
])('retention %j is %s', (change, shared, text) => {
  expect(formatRetention({ ...retention, ...change }, shared)).toBe(text);
});
