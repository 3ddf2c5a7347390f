// A <video> element that plays HLS itself, as on an iPhone: it takes an address, and the test says what it shows.
import { vi } from 'vitest';
import { fakeVideo, type FakeVideo } from './FakeVideo';

export interface FakeNativeVideo extends FakeVideo {
  /** Every address that was loaded. */
  readonly addresses: string[];
  /** The stream is open; `clock` is the wall clock of a media time, as EXT-X-PROGRAM-DATE-TIME gives it. */
  open(clock?: (mediaSeconds: number) => number): void;
  fail(code: number): void;
  end(): void;
  setSeekable(end: number): void;
}

/** Makes this environment a browser without Media Source Extensions that plays HLS; returns the function that undoes it. */
export function stubNativeHls(): () => void {
  const spy = vi
    .spyOn(HTMLMediaElement.prototype, 'canPlayType')
    .mockImplementation((type) => (type === 'application/vnd.apple.mpegurl' ? 'maybe' : ''));
  return () => spy.mockRestore();
}

export function fakeNativeVideo(): FakeNativeVideo {
  const video = fakeVideo();
  const { element } = video;
  const addresses: string[] = [];
  let error: { code: number } | null = null;
  let seekableEnd: number | null = null;
  element.load = () => {
    const address = element.getAttribute('src');
    error = null;
    video.setReady(false);
    if (address !== null) addresses.push(address);
  };
  Object.defineProperties(element, {
    error: { get: () => error },
    seekable: { get: () => ({ length: seekableEnd === null ? 0 : 1, end: () => seekableEnd }) },
    paused: { get: () => false },
  });
  return {
    ...video,
    addresses,
    open: (clock) => {
      if (clock)
        Object.assign(element, {
          getStartDate: () => new Date(clock(element.currentTime) - element.currentTime * 1000),
        });
      element.dispatchEvent(new Event('loadedmetadata'));
      video.setReady(true);
      element.dispatchEvent(new Event('playing'));
    },
    fail: (code) => {
      error = { code };
      element.dispatchEvent(new Event('error'));
    },
    end: () => element.dispatchEvent(new Event('ended')),
    setSeekable: (end) => {
      seekableEnd = end;
    },
  };
}
