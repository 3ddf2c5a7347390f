// Drawing: only visible items, edges on whole device pixels, gaps that are always visible.
import { expect, test } from 'vitest';
import { drawTimeline, type Scene, type Surface } from './drawTimeline';
import { DAY_MS, HOUR_MS, NO_TIMELINE, type TimelineData } from './model';
import { lanesHeight, type TimelineLane } from './lanes';
import type { Palette } from './palette';

interface Box {
  x: number;
  width: number;
  height: number;
  color: string;
}

const PALETTE = Object.fromEntries(
  [
    'ink',
    'inkSoft',
    'line',
    'lineStrong',
    'track',
    'footage',
    'footageWash',
    'lost',
    'lostWash',
    'unwanted',
    'archive',
    'future',
    'event',
    'bookmark',
    'protection',
    'playhead',
    'surface',
    'now',
  ].map((name) => [name, name]),
) as unknown as Palette;
PALETTE.lanes = ['lane0', 'lane1', 'lane2'];

class FakeContext {
  fillStyle = '';
  strokeStyle = '';
  font = '';
  textBaseline = '';
  textAlign = '';
  lineWidth = 1;
  globalAlpha = 1;
  boxes: Box[] = [];
  texts: string[] = [];
  strokes: string[] = [];
  fills: string[] = [];
  fillRect(x: number, _y: number, width: number, height: number) {
    this.boxes.push({ x, width, height, color: this.fillStyle });
  }
  fillText(text: string) {
    this.texts.push(text);
  }
  measureText = (text: string) => ({ width: text.length * 6 });
  stroke() {
    this.strokes.push(this.strokeStyle);
  }
  setTransform() {}
  clearRect() {}
  save() {}
  restore() {}
  beginPath() {}
  closePath() {}
  rect() {}
  clip() {}
  moveTo() {}
  lineTo() {}
  fill() {
    this.fills.push(this.fillStyle);
  }
}

const NOW = Date.parse('2026-11-22T12:00:00Z');

function draw(
  data: Partial<TimelineData>,
  view = { startMs: NOW - 10 * HOUR_MS, endMs: NOW },
  pixelRatio = 2,
  lanes: TimelineLane[] = [],
) {
  const context = new FakeContext();
  const scene: Scene = {
    view,
    data: { ...NO_TIMELINE, ...data },
    lanes,
    nowMs: NOW,
    playheadMs: null,
    hoverMs: null,
    marked: null,
    timeZone: 'UTC',
  };
  drawTimeline(scene, {
    context: context as unknown as CanvasRenderingContext2D,
    width: 1000,
    height: 112 + lanesHeight(lanes),
    pixelRatio,
    palette: PALETTE,
  } satisfies Surface);
  return context;
}
const of = (context: FakeContext, color: string) => context.boxes.filter((box) => box.color === color);

test('footage is drawn at its time, on whole device pixels', () => {
  const [box] = of(
    draw({ spans: [{ startMs: NOW - 5 * HOUR_MS, endMs: NOW - 2.2 * HOUR_MS, coverage: 1 }] }),
    'footage',
  );
  expect(box).toMatchObject({ x: 500, width: 280 });
  const odd = of(draw({ spans: [{ startMs: NOW - 5 * HOUR_MS + 777_777, endMs: NOW, coverage: 1 }] }), 'footage')[0]!;
  expect((odd.x * 2) % 1).toBe(0);
});

test('invisible footage is not drawn', () => {
  const spans = Array.from({ length: 2000 }, (_, index) => ({
    startMs: NOW - (index + 2) * DAY_MS,
    endMs: NOW - (index + 1.5) * DAY_MS,
    coverage: 1,
  })).reverse();
  expect(of(draw({ spans }), 'footage')).toHaveLength(0);
});

test('thousands of spans in few pixels are drawn at most once per pixel', () => {
  const spans = Array.from({ length: 20_000 }, (_, index) => ({
    startMs: NOW - 10 * HOUR_MS + index * 1_800,
    endMs: NOW - 10 * HOUR_MS + index * 1_800 + 900,
    coverage: 1,
  }));
  expect(of(draw({ spans }), 'footage').length).toBeLessThanOrEqual(2000);
});

test('a span shorter than a pixel is still drawn', () => {
  expect(
    of(draw({ spans: [{ startMs: NOW - HOUR_MS, endMs: NOW - HOUR_MS + 500, coverage: 1 }] }), 'footage')[0]?.width,
  ).toBe(1);
});

test('the height of a span shows its coverage', () => {
  const heights = [1, 0.5].map(
    (coverage) => of(draw({ spans: [{ startMs: NOW - HOUR_MS, endMs: NOW, coverage }] }), 'footage')[0]?.height ?? 0,
  );
  expect(heights[1]).toBeCloseTo(heights[0]! / 2, 5);
});

test('lost and unwanted time are hatched differently', () => {
  const gap = { startMs: NOW - HOUR_MS, endMs: NOW, reason: 'x', by: null };
  expect(draw({ gaps: [{ ...gap, tone: 'lost' }] }).strokes).toEqual(['lost']);
  expect(draw({ gaps: [{ ...gap, tone: 'unwanted' }] }).strokes).toEqual(['unwanted']);
});

test('a gap that is too short to be hatched is drawn as a notch in the footage', () => {
  const context = draw({
    spans: [{ startMs: NOW - 10 * HOUR_MS, endMs: NOW, coverage: 1 }],
    gaps: [{ startMs: NOW - HOUR_MS, endMs: NOW - HOUR_MS + 2_000, reason: 'x', by: null, tone: 'lost' }],
  });
  expect(of(context, 'lost')).toEqual([expect.objectContaining({ x: 900, width: 1, height: 7 })]);
});

test('an open gap reaches until now, and the future is not footage', () => {
  const view = { startMs: NOW - 5 * HOUR_MS, endMs: NOW + 5 * HOUR_MS };
  const context = draw({ gaps: [{ startMs: NOW - HOUR_MS, endMs: null, reason: 'x', by: null, tone: 'lost' }] }, view);
  expect(of(context, 'lostWash')[0]).toMatchObject({ x: 400, width: 100 });
  expect(of(context, 'future')[0]).toMatchObject({ x: 500, width: 500 });
});

test('the label of the day stays visible while its midnight is not', () => {
  expect(draw({}).texts.some((text) => text.includes('22') && text.includes('2026'))).toBe(true);
});

test('bookmarks are drawn as ribbons, those in one pixel once', () => {
  const event = (atMs: number, kind: string) => ({ atMs, endMs: null, kind, label: 'Delivery' });
  const events = [
    event(NOW - HOUR_MS, 'bookmark'),
    event(NOW - HOUR_MS + 1_000, 'bookmark'),
    event(NOW - 2 * HOUR_MS, 'recording'),
    event(NOW - DAY_MS, 'bookmark'),
  ];
  expect(draw({ events }).fills).toEqual(['event', 'bookmark']);
});

test('a band shows where footage lies: whole, half, dotted, or none', () => {
  const places = (['archive', 'both', 'waiting', 'local'] as const).map((where, index) => ({
    where,
    startMs: NOW - (8 - 2 * index) * HOUR_MS,
    endMs: NOW - (6 - 2 * index) * HOUR_MS,
  }));
  const boxes = of(draw({ places }), 'archive');
  expect(boxes[0]).toMatchObject({ x: 200, width: 200, height: 6 });
  expect(boxes[1]).toMatchObject({ x: 400, width: 200, height: 3 });
  expect(boxes.slice(2).every(({ x, width }) => width === 2 && x >= 600 && x < 800)).toBe(true);
  expect(boxes.length).toBeGreaterThan(20);
});

test('events are drawn in the lane and colour of their name, those in the same pixels once', () => {
  const run = (minutesAgo: number, minutes: number) => ({
    startMs: NOW - minutesAgo * 60_000,
    endMs: NOW - (minutesAgo - minutes) * 60_000,
    events: 1,
  });
  const lanes = [
    { name: 'Car', color: 2, events: 3, runs: [run(900, 10), run(300, 60), run(240, 0)] },
    {
      name: 'Person',
      color: 0,
      events: 10_000,
      runs: Array.from({ length: 10_000 }, (_, index) => run(600 - index * 0.06, 0.01)),
    },
  ];
  const context = draw({}, undefined, 2, lanes);
  expect(of(context, 'lane2')).toEqual([expect.objectContaining({ x: 500, width: 102, height: 7 })]);
  expect(of(context, 'lane0').length).toBeLessThanOrEqual(2);
  expect(of(context, 'track')[0]).toMatchObject({ height: 52 });
});
