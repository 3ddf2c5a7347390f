// A <video> element whose clock the test controls.
import { vi } from 'vitest';

export interface FakeVideo {
  element: HTMLVideoElement;
  play: ReturnType<typeof vi.fn>;
  pause: ReturnType<typeof vi.fn>;
  /** Moves the clock as playback would. */
  advanceTo(seconds: number): void;
  /** Sets readyState: frames are available or not. */
  setReady(isReady: boolean): void;
}

export function fakeVideo(): FakeVideo {
  const element = document.createElement('video');
  let time = 0;
  let ready = 0;
  Object.defineProperties(element, {
    currentTime: {
      get: () => time,
      set: (value: number) => {
        time = value;
        element.dispatchEvent(new Event('seeking'));
        element.dispatchEvent(new Event('seeked'));
      },
    },
    readyState: { get: () => ready },
    seeking: { get: () => false },
    videoWidth: { get: () => 0 },
  });
  const play = vi.fn(() => Promise.resolve());
  const pause = vi.fn();
  element.play = play;
  element.pause = pause;
  return {
    element,
    play,
    pause,
    advanceTo: (seconds) => {
      time = seconds;
      element.dispatchEvent(new Event('timeupdate'));
    },
    setReady: (isReady) => {
      ready = isReady ? 4 : 1;
      element.dispatchEvent(new Event(isReady ? 'canplay' : 'waiting'));
    },
  };
}
