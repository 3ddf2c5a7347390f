// Lanes: which are shown, in which colours, and what a press on them means.
import { expect, test } from 'vitest';
import { firstRunFrom, LANE_COLORS, limitLanes, MAX_LANES, runAt, runNear, withColors } from './lanes';

const run = (startMs: number, endMs = startMs, events = 1) => ({ startMs, endMs, events });
const lane = (name: string, events: number, runs = [run(events * 100)]) => ({ name, events, runs });

test('the lanes with the most events are shown by name, the rest as one', () => {
  const lanes = Array.from({ length: 9 }, (_, index) => lane(`Label ${9 - index}`, index + 1));
  const limited = limitLanes(lanes);
  expect(limited).toHaveLength(MAX_LANES);
  expect(limited.map(({ name }) => name)).toEqual(['Label 1', 'Label 2', 'Label 3', 'Label 4', 'Label 5', 'Other']);
  expect(limited.at(-1)).toMatchObject({ events: 1 + 2 + 3 + 4, runs: [run(100), run(200), run(300), run(400)] });
  expect(limitLanes(lanes.slice(0, MAX_LANES))).toHaveLength(MAX_LANES);
});

test('runs of the rest that overlap are one', () => {
  const lanes = Array.from({ length: 7 }, (_, index) =>
    lane(`L${index}`, index < 2 ? 1 : 100, [run(index * 10, 15 + index * 10)]),
  );
  expect(limitLanes(lanes).at(-1)!.runs).toEqual([run(0, 25, 2)]);
});

test('a name has its colour on every camera, and no two lanes have the same', () => {
  const [person] = withColors([{ name: 'Person' }]);
  const lanes = withColors(['Bicycle', 'Car', 'Cat', 'Dog', 'Motion', 'Other'].map((name) => ({ name })));
  expect(new Set(lanes.map(({ color }) => color)).size).toBe(6);
  expect(person!.color).toBe(withColors([{ name: 'Person' }])[0]!.color);
  expect(
    withColors(Array.from({ length: 12 }, (_, name) => ({ name: String(name) }))).every(
      ({ color }) => color < LANE_COLORS,
    ),
  ).toBe(true);
});

test('the nearest mark is found from both sides, within reach', () => {
  const runs = [run(100, 200), run(1_000, 1_100), run(5_000)];
  expect(firstRunFrom(runs, 150)).toBe(0);
  expect(firstRunFrom(runs, 201)).toBe(1);
  expect(firstRunFrom(runs, 9_999)).toBe(3);
  expect(runNear(runs, 150, 0)).toBe(runs[0]);
  expect(runNear(runs, 250, 60)).toBe(runs[0]);
  expect(runNear(runs, 950, 60)).toBe(runs[1]);
  expect(runNear(runs, 600, 60)).toBeNull();
  expect(runNear([], 600, 60)).toBeNull();
});

test('a press means the lane that it is on', () => {
  const lanes = withColors([lane('Car', 1, [run(1_000)]), lane('Person', 1, [run(1_050)])]);
  const at = (y: number) => runAt(lanes, { atMs: 1_020, y, msPerPx: 10 })?.lane.name ?? null;
  expect([at(-5), at(3), at(14), at(99)]).toEqual([null, 'Car', 'Person', 'Person']);
  expect(runAt(lanes, { atMs: 5_000, y: 3, msPerPx: 10 })).toBeNull();
  expect(runAt([], { atMs: 5_000, y: 3, msPerPx: 10 })).toBeNull();
});
