// Draws a timeline: ruler, track with footage and gaps, markers, now and the playhead. Invisible items are skipped.
import { HAS_12_HOURS } from '../formatting/clock';
import { firstRunFrom, LANE_PX, lanesHeight, laneTop, type TimelineLane } from './lanes';
import { HOUR_MS, MINUTE_MS, type TimelineData, type TimelineGap, type TimeRange } from './model';
import type { Palette } from './palette';
import { buildTicks, chooseStep, contextStep, type TickStep } from './ticks';
import { contextLabel, tickLabel } from './labels';

export interface Scene {
  view: TimeRange;
  data: TimelineData;
  lanes: TimelineLane[];
  nowMs: number;
  playheadMs: number | null;
  hoverMs: number | null;
  marked: TimeRange | null;
  timeZone: string;
}

export interface Surface {
  context: CanvasRenderingContext2D;
  /** In CSS pixels. */
  width: number;
  height: number;
  pixelRatio: number;
  palette: Palette;
}

export const TRACK_TOP = 40;
/** Below the track: events and protections. */
export const LANE_HEIGHT = 20;
const CONTEXT_BASELINE = 14;
const TICK_BASELINE = 32;
const NOTCH_HEIGHT = 7;
/** Width of "PM" next to a time. */
const DAY_PERIOD_PX = 20;

const trackHeightOf = (surface: Surface): number => surface.height - TRACK_TOP - LANE_HEIGHT;

function minTickPx(step: TickStep): number {
  if (step.unit === 'clock')
    return (step.count < MINUTE_MS ? 76 : 58) + (HAS_12_HOURS && step.count % HOUR_MS !== 0 ? DAY_PERIOD_PX : 0);
  if (step.unit === 'month') return step.count > 1 ? 44 : 42;
  return 56;
}

/** Converts moments to x positions on whole device pixels, so that edges are sharp. */
function scaleOf({ view }: Scene, { width, pixelRatio }: Surface): (atMs: number) => number {
  const pxPerMs = width / (view.endMs - view.startMs);
  return (atMs) => Math.round((atMs - view.startMs) * pxPerMs * pixelRatio) / pixelRatio;
}

/** Sizes the canvas in device pixels. Setting a size clears the canvas, so only a different size is set. */
export function fitCanvas({ context, width, height, pixelRatio }: Surface): void {
  const { canvas } = context;
  const [across, down] = [Math.round(width * pixelRatio), Math.round(height * pixelRatio)];
  if (canvas.width === across && canvas.height === down) return;
  canvas.width = across;
  canvas.height = down;
}

export function drawTimeline(scene: Scene, surface: Surface): void {
  const { context, width, height, pixelRatio } = surface;
  context.setTransform(pixelRatio, 0, 0, pixelRatio, 0, 0);
  context.clearRect(0, 0, width, height);
  const x = scaleOf(scene, surface);
  const above = { ...surface, height: height - lanesHeight(scene.lanes) };
  drawTrack(scene, above, x);
  drawPlaces(scene, above, x);
  drawRuler(scene, above, x);
  drawMarkers(scene, above, x);
  drawBookmarks(scene, above, x);
  drawLanes(scene, surface, x);
  drawMoments(scene, above, x, height);
}

/** Marks of events, each lane in its colour; those that lie in the same pixels are drawn once. */
function drawLanes(
  { view, lanes }: Scene,
  { context, width, height, palette }: Surface,
  x: (atMs: number) => number,
): void {
  const top = height - lanesHeight(lanes);
  lanes.forEach(({ runs, color }, index) => {
    const y = top + laneTop(index);
    context.fillStyle = palette.track;
    context.fillRect(0, y + Math.floor(LANE_PX / 2), width, 1);
    context.fillStyle = palette.lanes[color] ?? palette.event;
    let [from, to] = [0, -1];
    for (let number = firstRunFrom(runs, view.startMs); number < runs.length; number += 1) {
      const run = runs[number]!;
      if (run.startMs > view.endMs) break;
      const start = Math.max(0, x(run.startMs));
      const end = Math.min(width, Math.max(x(run.endMs), start + 2));
      if (start <= to) {
        to = Math.max(to, end);
        continue;
      }
      if (to > from) context.fillRect(from, y, to - from, LANE_PX);
      [from, to] = [start, end];
    }
    if (to > from) context.fillRect(from, y, to - from, LANE_PX);
  });
}

function drawRuler(scene: Scene, { context, width, height, palette }: Surface, x: (atMs: number) => number): void {
  const { view, timeZone } = scene;
  const step = chooseStep(view, width, minTickPx);
  context.textBaseline = 'alphabetic';
  context.textAlign = 'left';

  context.fillStyle = palette.line;
  const ticks = buildTicks(view, step, timeZone);
  for (const tick of ticks) {
    const at = x(tick.atMs);
    if (tick.isMajor) context.fillRect(at, 2, 1, height - LANE_HEIGHT - 2);
    else context.fillRect(at, TICK_BASELINE - 8, 1, TRACK_TOP - TICK_BASELINE + 8);
  }
  context.font = `500 11px ${palette.font}`;
  context.fillStyle = palette.inkSoft;
  for (const tick of ticks) {
    const at = x(tick.atMs) + 5;
    if (at < 0 || at > width) continue;
    const label = tickLabel(step, timeZone, tick.atMs);
    if (at + context.measureText(label).width <= width) context.fillText(label, at, TICK_BASELINE);
  }

  const larger = contextStep(step);
  if (!larger) return;
  context.font = `650 12px ${palette.font}`;
  context.fillStyle = palette.ink;
  const contexts = buildTicks(view, larger, timeZone);
  contexts.forEach(({ atMs }, index) => {
    const label = contextLabel(larger, timeZone, atMs);
    const labelWidth = context.measureText(label).width;
    const next = contexts[index + 1];
    const end = next ? x(next.atMs) - 12 : width;
    const start = Math.min(Math.max(x(atMs) + 5, 5), end - labelWidth);
    if (start + labelWidth > 0 && start < width && (start >= x(atMs) || index === 0))
      context.fillText(label, start, CONTEXT_BASELINE);
  });
}

function drawTrack(scene: Scene, surface: Surface, x: (atMs: number) => number): void {
  const { context, width, palette } = surface;
  const { view, data, nowMs } = scene;
  const height = trackHeightOf(surface);
  const bottom = TRACK_TOP + height;
  context.fillStyle = palette.track;
  context.fillRect(0, TRACK_TOP, width, height);

  const now = Math.min(width, x(nowMs));
  if (now < width) {
    context.fillStyle = palette.future;
    context.fillRect(Math.max(0, now), TRACK_TOP, width - Math.max(0, now), height);
  }

  const isVisible = (gap: TimelineGap) => gap.startMs < view.endMs && (gap.endMs ?? nowMs) > view.startMs;
  for (const gap of data.gaps) if (gap.tone === 'unwanted' && isVisible(gap)) drawGap(gap, scene, surface, x);

  let lastEnd = -1;
  for (const span of data.spans) {
    if (span.endMs <= view.startMs || span.startMs >= view.endMs) continue;
    const from = Math.max(0, x(span.startMs));
    const to = Math.min(width, Math.max(x(span.endMs), from + 1));
    if (to <= lastEnd) continue;
    lastEnd = to;
    const isWhole = span.coverage >= 0.995;
    if (!isWhole) {
      context.fillStyle = palette.footageWash;
      context.fillRect(from, TRACK_TOP, to - from, height);
    }
    const tall = isWhole ? height : Math.max(3, height * span.coverage);
    context.fillStyle = palette.footage;
    context.fillRect(from, bottom - tall, to - from, tall);
  }
  for (const gap of data.gaps) if (gap.tone === 'lost' && isVisible(gap)) drawGap(gap, scene, surface, x);
}

/** A band at the upper edge of the track: whole in an archive only, half beside the local disk, dotted while waiting. */
function drawPlaces({ view, data }: Scene, { context, width, palette }: Surface, x: (atMs: number) => number): void {
  context.fillStyle = palette.archive;
  for (const { startMs, endMs, where } of data.places) {
    if (where === 'local' || endMs <= view.startMs || startMs >= view.endMs) continue;
    const from = Math.max(0, x(startMs));
    const to = Math.min(width, Math.max(x(endMs), from + 1));
    if (where !== 'waiting') context.fillRect(from, TRACK_TOP, to - from, where === 'archive' ? 6 : 3);
    else for (let at = Math.ceil(from / 6) * 6; at < to; at += 6) context.fillRect(at, TRACK_TOP, 2, 3);
  }
}

function drawGap(gap: TimelineGap, scene: Scene, surface: Surface, x: (atMs: number) => number): void {
  const { context, width, palette } = surface;
  const height = trackHeightOf(surface);
  const from = Math.max(0, x(gap.startMs));
  const to = Math.min(width, x(gap.endMs ?? scene.nowMs));
  const isLost = gap.tone === 'lost';
  if (to - from < 2) {
    // Too short to be hatched: a notch marks the missing footage.
    if (!isLost) return;
    context.fillStyle = palette.lost;
    context.fillRect(from, TRACK_TOP + height - NOTCH_HEIGHT, Math.max(1, to - from), NOTCH_HEIGHT);
    return;
  }
  context.fillStyle = isLost ? palette.lostWash : palette.track;
  context.fillRect(from, TRACK_TOP, to - from, height);
  hatch(context, from, TRACK_TOP, to - from, height, isLost ? palette.lost : palette.unwanted, isLost);
}

/** Lost footage: dense rising lines. Unwanted: sparse falling lines. Distinguishable without colour. */
function hatch(
  context: CanvasRenderingContext2D,
  left: number,
  top: number,
  width: number,
  height: number,
  color: string,
  isRising: boolean,
): void {
  const distance = isRising ? 6 : 9;
  context.save();
  context.beginPath();
  context.rect(left, top, width, height);
  context.clip();
  context.beginPath();
  const first = Math.floor((left - height) / distance) * distance;
  for (let at = first; at < left + width + height; at += distance) {
    context.moveTo(at, isRising ? top + height : top);
    context.lineTo(at + height, isRising ? top : top + height);
  }
  context.strokeStyle = color;
  context.lineWidth = isRising ? 1.5 : 1;
  context.stroke();
  context.restore();
}

function drawMarkers(scene: Scene, surface: Surface, x: (atMs: number) => number): void {
  const { context, width, height, palette } = surface;
  const { data, view, nowMs } = scene;
  const lane = height - LANE_HEIGHT;

  context.fillStyle = palette.protection;
  for (const { startMs, endMs } of data.protections) {
    if (endMs < view.startMs || startMs > view.endMs) continue;
    const from = x(startMs);
    const wide = Math.max(3, x(endMs) - from);
    context.fillRect(from, lane + 2, wide, 3);
    context.fillRect(from, lane - 4, 2, 8);
    context.fillRect(from + wide - 2, lane - 4, 2, 8);
  }

  context.fillStyle = palette.event;
  let lastAt = -100;
  for (const event of data.events) {
    if (event.kind === 'bookmark') continue;
    if ((event.endMs ?? event.atMs) < view.startMs || event.atMs > view.endMs) continue;
    const at = x(event.atMs);
    if (event.endMs !== null && event.endMs > event.atMs) {
      const to = Math.min(width, x(Math.min(event.endMs, nowMs)));
      context.globalAlpha = 0.45;
      context.fillRect(at, lane + 10, Math.max(0, to - at), 4);
      context.globalAlpha = 1;
    }
    if (at - lastAt < 3) continue;
    lastAt = at;
    context.beginPath();
    if (event.kind === 'stream') {
      context.moveTo(at, lane + 7);
      context.lineTo(at + 4, lane + 15);
      context.lineTo(at - 4, lane + 15);
    } else {
      context.moveTo(at, lane + 7);
      context.lineTo(at + 5, lane + 12);
      context.lineTo(at, lane + 17);
      context.lineTo(at - 5, lane + 12);
    }
    context.closePath();
    context.fill();
  }
}

/** Draws ribbons across the lower edge of the track, on top of other events at the same time. */
function drawBookmarks(
  { view, data }: Scene,
  { context, height, palette }: Surface,
  x: (atMs: number) => number,
): void {
  const top = height - LANE_HEIGHT - 7;
  let lastAt = -100;
  for (const event of data.events) {
    if (event.kind !== 'bookmark' || event.atMs < view.startMs || event.atMs > view.endMs) continue;
    const at = x(event.atMs);
    if (at - lastAt < 3) continue;
    lastAt = at;
    context.beginPath();
    context.moveTo(at - 5, top);
    context.lineTo(at + 5, top);
    context.lineTo(at + 5, top + 16);
    context.lineTo(at, top + 11.5);
    context.lineTo(at - 5, top + 16);
    context.closePath();
    context.lineWidth = 2;
    context.strokeStyle = palette.surface;
    context.stroke();
    context.fillStyle = palette.bookmark;
    context.fill();
  }
}

/** `lowest`: the lower edge of the lanes, through which the moments go. */
function drawMoments(scene: Scene, surface: Surface, x: (atMs: number) => number, lowest: number): void {
  const { context, width, height, palette } = surface;
  const { nowMs, hoverMs, playheadMs } = scene;
  const bottom = scene.lanes.length > 0 ? lowest - 8 : height - LANE_HEIGHT;
  const now = x(nowMs);
  if (now >= 0 && now <= width) {
    context.fillStyle = palette.now;
    context.fillRect(now, TRACK_TOP - 4, 1.5, bottom - TRACK_TOP + 8);
  }
  if (hoverMs !== null) {
    context.fillStyle = palette.inkSoft;
    context.fillRect(x(hoverMs), TRACK_TOP - 4, 1, bottom - TRACK_TOP + 8);
  }
  if (playheadMs === null) return;
  const at = x(playheadMs);
  if (at < -8 || at > width + 8) return;
  // The flag begins below the labels of the ruler; its outline is visible on footage too.
  const top = TRACK_TOP - 4;
  context.fillStyle = palette.surface;
  context.fillRect(at - 2, top, 4, bottom - top + 4);
  context.fillStyle = palette.playhead;
  context.fillRect(at - 1, top, 2, bottom - top + 4);
  context.beginPath();
  context.moveTo(at - 6.5, top);
  context.lineTo(at + 6.5, top);
  context.lineTo(at + 6.5, top + 7);
  context.lineTo(at, top + 14);
  context.lineTo(at - 6.5, top + 7);
  context.closePath();
  context.lineWidth = 2;
  context.strokeStyle = palette.surface;
  context.stroke();
  context.fill();
}
