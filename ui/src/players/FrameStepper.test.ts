// Steps go from frame to frame, also when a camera sends them unevenly.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { fakeVideo } from '../../test/FakeVideo';
import { FrameStepper } from './FrameStepper';

/** Start times of the frames in seconds; the element shows the last one that has started. */
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

/** Reports frames as playback would. */
function watch(...frames: number[]): void {
  for (const frame of frames) stepper.notice(frame, true);
}

test('stepping forwards skips no frame and shows none twice', () => {
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

test('each step backwards shows the previous frame', () => {
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

test('steps requested in quick succession are all made', () => {
  watch(0, 0.04, 0.063);
  video.currentTime = 0;
  for (let count = 0; count < 4; count += 1) stepper.step(video, 1);
  vi.advanceTimersByTime(10_000);
  expect(shown.at(-1)).toBe(0.16);
});

test('a step at the last frame stays there', () => {
  watch(0, 0.04);
  video.currentTime = 0.95;
  stepper.step(video, 1);
  vi.advanceTimersByTime(60_000);
  expect(shown.at(-1)).toBe(0.94);
  const count = shown.length;
  vi.advanceTimersByTime(60_000);
  expect(shown).toHaveLength(count);
});
