// A time-lapse: local times, its summary, and the request.
import { expect, test } from 'vitest';
import { firstTimeLapse, parseLocal, timeLapseRequestOf, timeLapseRules, formatTimeLapse } from './timeLapseValues';

const ZONE = 'Europe/Berlin';
const DAY = { startMs: Date.parse('2026-11-21T22:00:00Z'), endMs: Date.parse('2026-11-22T22:00:00Z') };
const NOW = DAY.endMs + 1_000;

test('a range is converted to local times and back to the same moments', () => {
  const values = firstTimeLapse(ZONE, DAY, 'recordings');
  expect(values.from).toBe('2026-11-21T23:00:00');
  expect(timeLapseRequestOf(ZONE, values)).toEqual({
    source: 'recordings',
    start: '2026-11-21T22:00:00.000Z',
    end: '2026-11-22T22:00:00.000Z',
    every_seconds: null,
    length_seconds: 30,
    fps: 25,
    width: null,
  });
});

test('a schedule is sent only if the source is snapshots', () => {
  const values = { ...firstTimeLapse(ZONE, DAY, 'snapshots'), schedule: '7' };
  expect(timeLapseRequestOf(ZONE, values)).toMatchObject({ source: 'snapshots', schedule_id: 7 });
  expect(timeLapseRequestOf(ZONE, { ...values, source: 'recordings' })).not.toHaveProperty('schedule_id');
});

test('the summary states speed and frame interval', () => {
  const values = firstTimeLapse(ZONE, DAY, 'recordings');
  expect(formatTimeLapse(ZONE, values)).toMatch(/^1 d in 30 s: 2.880× speed, one frame every 1 min 55 s\.$/);
  expect(formatTimeLapse(ZONE, { ...values, source: 'snapshots' })).toMatch(/× speed\.$/);
  expect(formatTimeLapse(ZONE, { ...values, length_seconds: 90_000 })).toMatch(/Not faster than real time/);
  expect(formatTimeLapse(ZONE, { ...values, to: '' })).toBe('');
});

test('a short range makes a shorter movie that is still faster', () => {
  expect(firstTimeLapse(ZONE, { startMs: NOW - 60_000, endMs: NOW }, 'recordings').length_seconds).toBe(15);
  expect(firstTimeLapse(ZONE, { startMs: NOW - 2_000, endMs: NOW }, 'recordings').length_seconds).toBe(1);
});

test('an end before the start or in the future is refused', () => {
  const rules = timeLapseRules(ZONE, NOW);
  const values = firstTimeLapse(ZONE, DAY, 'recordings');
  expect(rules.to(values.to, values)).toBeNull();
  expect(rules.to(values.from, values)).toMatch(/after the start/);
  expect(rules.to('2026-11-24T10:00:00', values)).toMatch(/in the future/);
  expect(rules.from('')).toMatch(/date and a time/);
  expect(rules.length_seconds('')).toMatch(/Enter 1/);
});

test('local times without seconds are accepted', () => {
  expect(parseLocal(ZONE, '2026-11-22T23:00')).toBe(DAY.endMs);
  expect(parseLocal(ZONE, 'tomorrow')).toBeNull();
});
