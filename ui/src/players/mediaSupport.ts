// Which way HLS is played in this browser: hls.js needs Media Source Extensions; iPhones before iOS 17.1 have none and play it themselves.

type Scope = Record<'ManagedMediaSource' | 'MediaSource' | 'WebKitMediaSource', unknown>;

export function hasMediaSource(): boolean {
  const scope = globalThis as unknown as Partial<Scope>;
  return Boolean(scope.ManagedMediaSource ?? scope.MediaSource ?? scope.WebKitMediaSource);
}

/** Whether the browser's own HLS is the only way: hls.js is preferred, because it reports more and follows the parts of a live stream. */
export function needsNativeHls(): boolean {
  return !hasMediaSource() && document.createElement('video').canPlayType('application/vnd.apple.mpegurl') !== '';
}
