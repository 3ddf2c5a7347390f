// Steps go from frame to frame, however unevenly a camera sends them.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { fakeVideo } from '../../test/FakeVideo';
import { FrameStepper } from './FrameStepper';

/** Frames that begin at these seconds; the element shows the last that has begun. */
const FRAMES = [0, 0.04, 0.063, 0.12, 0.16, 0.9, 0.94];

let video: HTMLVideoElement;
let stepper: FrameStepper;
let shown: number[];

beforeEach(() => {
  vi.useFakeTimers();
  video = fakeVideo().element;
  stepper = new FrameStepper();
  shown = [];
  video.addEventListener('seeked', () => {
    const frame = FRAMES.findLast((start) => start <= video.currentTime) ?? 0;
    shown.push(frame);
    stepper.notice(frame, false);
  });
});

afterEach(() => {
  stepper.reset();
  vi.useRealTimers();
});

/** As playback would have shown the first frames. */
function watch(...frames: number[]): void {
  for (const frame of frames) stepper.notice(frame, true);
}

test('forwards no frame is left out and none shown twice', () => {
  watch(0, 0.04, 0.063);
  video.currentTime = 0;
  const seen: number[] = [];
  for (let count = 0; count < 6; count += 1) {
    stepper.step(video, 1);
    vi.advanceTimersByTime(10_000);
    seen.push(shown.at(-1) ?? -1);
  }
  expect(seen).toEqual(FRAMES.slice(1));
});

test('backwards each step is the frame before', () => {
  watch(0, 0.04, 0.063);
  video.currentTime = 0.95;
  const seen: number[] = [];
  for (let count = 0; count < 6; count += 1) {
    stepper.step(video, -1);
    vi.advanceTimersByTime(1_000);
    seen.push(shown.at(-1) ?? -1);
  }
  expect(seen).toEqual([0.9, 0.16, 0.12, 0.063, 0.04, 0]);
});

test('steps asked for in haste are all made', () => {
  watch(0, 0.04, 0.063);
  video.currentTime = 0;
  for (let count = 0; count < 4; count += 1) stepper.step(video, 1);
  vi.advanceTimersByTime(10_000);
  expect(shown.at(-1)).toBe(0.16);
});

test('at the last frame it stays', () => {
  watch(0, 0.04);
  video.currentTime = 0.95;
  stepper.step(video, 1);
  vi.advanceTimersByTime(60_000);
  expect(shown.at(-1)).toBe(0.94);
  const count = shown.length;
  vi.advanceTimersByTime(60_000);
  expect(shown).toHaveLength(count);
});
