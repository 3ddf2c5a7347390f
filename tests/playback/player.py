"""A page that plays a playlist with hls.js in Chromium, and reports the capture time and position of every picture."""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page

ROOT = Path(__file__).resolve().parents[2]
HLS_SCRIPT = ROOT / "ui/node_modules/hls.js/dist/hls.min.js"
CLOCK_SCRIPT = ROOT / "tests/cameras/clock.js"

_PAGE = "<!doctype html><title>player</title><video muted playsinline width=640></video>"

# All observations are in `window.seen`. The moment of a picture comes from the EXT-X-PROGRAM-DATE-TIME of its
# fragment: `hls.playingDate` is that of the fragment before for the first pictures after a gap.
_PLAY = """
([url, rate, options]) => {
  const video = document.querySelector('video');
  const seen = (window.seen = { readings: [], errors: [], ended: false });
  const hls = (window.hls = new Hls({ ...options, enableWorker: false }));
  hls.on(Hls.Events.ERROR, (_, data) =>
    seen.errors.push([data.details, data.fatal, String(data.error?.message ?? '')]));
  video.addEventListener('ended', () => { seen.ended = true; });
  const momentOf = (mediaTime) => {
    const details = hls.levels[0]?.details;
    // The newest fragment of a live playlist is known by its parts alone.
    const fragments = [...(details?.fragments ?? []), ...(details?.fragmentHint ? [details.fragmentHint] : [])];
    const fragment = fragments.findLast((one) => one.start <= mediaTime + 0.001) ?? fragments[0];
    return fragment?.programDateTime ? fragment.programDateTime + (mediaTime - fragment.start) * 1000 : null;
  };
  cameraClock.watchClock(video, (reading) => {
    seen.readings.push([
      reading.seenMs, reading.timeMs, momentOf(reading.mediaTime), reading.mediaTime, video.videoWidth, reading.delayMs,
    ]);
  });
  video.defaultPlaybackRate = video.playbackRate = rate;
  hls.attachMedia(video);
  hls.on(Hls.Events.MEDIA_ATTACHED, () => hls.loadSource(url));
  video.play().catch((error) => seen.errors.push(['play', false, String(error)]));
}
"""


# hls.js 1.7 does not report the end of footage after a gap of less than a tenth of a second, as B-frames leave one.
_IS_OVER = """
() => {
  const video = document.querySelector('video');
  const isAtEnd = video.duration && video.currentTime > video.duration - 0.2;
  return window.seen.ended || isAtEnd || window.seen.errors.some((error) => error[1]);
}
"""


@dataclass(frozen=True)
class Seen:
    """A picture: its arrival, its drawn clock (ms since 1970) or number, its moment by the playlist, and its age."""

    seen_ms: float
    drawn: int
    moment_ms: float | None
    media_seconds: float
    width: int
    delay_ms: float


class HlsPlayer:
    """Plays one playlist. All methods belong to Playwright's thread; `hls.js` is the package's own build."""

    def __init__(
        self, browser: Browser, base_url: str, playlist_url: str, *, rate: float = 1.0, **options: Any
    ) -> None:
        self.context = browser.new_context()
        self.page: Page = self.context.new_page()
        # A page with the origin of the API, without its content security policy.
        self.page.route(f"{base_url}/playing", lambda route: route.fulfill(body=_PAGE, content_type="text/html"))
        self.page.goto(f"{base_url}/playing")
        self.page.add_script_tag(path=HLS_SCRIPT)
        self.page.add_script_tag(path=CLOCK_SCRIPT)
        self.page.evaluate(_PLAY, [playlist_url, rate, options])

    def __enter__(self) -> HlsPlayer:
        return self

    def __exit__(self, *_: object) -> None:
        self.context.close()

    @property
    def errors(self) -> list[tuple[str, bool, str]]:
        """What hls.js reported: details, whether it gave up, the message."""
        return [tuple(error) for error in self.page.evaluate("() => window.seen.errors")]

    @property
    def fatal_errors(self) -> list[tuple[str, bool, str]]:
        return [error for error in self.errors if error[1]]

    def seen(self) -> list[Seen]:
        """All pictures so far."""
        return [Seen(*reading) for reading in self.page.evaluate("() => window.seen.readings")]

    def wait_until_over(self, seconds: float) -> None:
        """Wait for the end of the footage, or until hls.js gives up. Raises Playwright's TimeoutError."""
        self.wait_for(_IS_OVER, seconds)

    def wait_for(self, script: str, seconds: float, argument: Any = None) -> None:
        """Wait until a function of the page returns a true value."""
        self.page.wait_for_function(script, arg=argument, timeout=seconds * 1000)

    def wait_drawn_after(self, moment: float, seconds: float, count: int = 5) -> float:
        """Wait for pictures that were drawn after a moment (seconds since 1970); return the seconds until now."""
        script = "([after, count]) => window.seen.readings.filter((r) => r[1] > after).length >= count"
        self.wait_for(script, seconds, [moment * 1000, count])
        return time.time() - moment


def longest_stop(seen: list[Seen]) -> float:
    """The longest time in seconds between two consecutive pictures."""
    return max((b.seen_ms - a.seen_ms for a, b in itertools.pairwise(seen)), default=float("inf")) / 1000
