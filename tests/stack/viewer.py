"""A viewer: Chromium on the page of a device, whose pictures are counted and whose clock is read."""

import itertools
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from playwright.sync_api import Browser, Page, Playwright

CHROMIUM = "/usr/bin/chromium"
CLOCK_SCRIPT = Path(__file__).resolve().parents[1] / "cameras/clock.js"

# Observations are stored in `window.seen`, which a reload would lose.
_WATCH = """
() => {
  const video = document.querySelector('[data-testid=live-video]');
  window.seen = { readings: [], frames: 0, states: [[Date.now(), video.dataset.playerState]] };
  const count = () => {
    window.seen.frames += 1;
    window.seen.lastFrameAt = Date.now();
    video.requestVideoFrameCallback(count);
  };
  video.requestVideoFrameCallback(count);
  cameraClock.watchClock(video, (reading) => {
    window.seen.readings.push([reading.seenMs, reading.timeMs, reading.delayMs, reading.displayDelayMs]);
    if (window.seen.readings.length > 5000) window.seen.readings.splice(0, 1000);
  });
  new MutationObserver(() => window.seen.states.push([Date.now(), video.dataset.playerState]))
    .observe(video, { attributes: true, attributeFilter: ['data-player-state'] });
}
"""


@dataclass(frozen=True)
class Latency:
    """Milliseconds from drawing a frame in the camera to the callback with it in the page."""

    median_ms: float
    p95_ms: float
    most_ms: float
    frames: int

    def __str__(self) -> str:
        delays = f"median {self.median_ms:.0f} ms, p95 {self.p95_ms:.0f} ms, most {self.most_ms:.0f} ms"
        return f"{delays}, {self.frames} frames"

    @classmethod
    def of(cls, delays_ms: list[float]) -> "Latency":
        ordered = sorted(delays_ms)
        return cls(median(ordered), ordered[int(len(ordered) * 0.95)], ordered[-1], len(ordered))


class BrowserViewer:
    """A page that watches one device. All methods must be called in Playwright's thread."""

    def __init__(self, browser: Browser, url: str, device_id: str) -> None:
        # The page's content security policy would refuse the script that reads the clock.
        self.context = browser.new_context(bypass_csp=True, viewport={"width": 1280, "height": 800})
        self.page: Page = self.context.new_page()
        self.problems: list[str] = []
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.goto(f"{url}/devices/{device_id}?autoplay=1")
        self.page.wait_for_selector("[data-testid=live-video]", state="attached", timeout=30_000)
        self.page.add_script_tag(path=CLOCK_SCRIPT)
        self.page.evaluate(_WATCH)

    def __enter__(self) -> "BrowserViewer":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Leave the page."""
        self.context.close()

    @property
    def state(self) -> str:
        """The player's own state: live, reconnecting, waiting …"""
        return self.page.get_attribute("[data-testid=live-video]", "data-player-state") or ""

    @property
    def has_continued(self) -> bool:
        """Whether this is still the page that was opened, without any reload."""
        return bool(self.page.evaluate("() => Boolean(window.seen)"))

    def wait_live(self, seconds: float = 30) -> None:
        """Wait until the player is live and pictures arrive."""
        self.page.wait_for_selector("[data-testid=live-video][data-player-state=live]", timeout=seconds * 1000)
        self.page.wait_for_function("() => window.seen.frames > 0", timeout=seconds * 1000)

    def seen(self) -> dict[str, Any]:
        """`frames`, `lastFrameAt`, `states` ([ms, state]) and `readings` ([seen ms, drawn ms, delay, until shown])."""
        return self.page.evaluate("() => window.seen")

    @property
    def frames(self) -> int:
        """Number of pictures so far."""
        return self.page.evaluate("() => window.seen.frames")

    def frames_in(self, seconds: float) -> int:
        """Number of pictures in the next seconds."""
        before = self.frames
        self.page.wait_for_timeout(seconds * 1000)
        return self.frames - before

    def wait_drawn_after(self, moment: float, seconds: float, count: int = 5) -> float:
        """Wait for `count` pictures that were drawn after `moment` (seconds since 1970).

        Returns the seconds from `moment` until the first of them was seen. Raises TimeoutError of Playwright.
        """
        script = "([after, count]) => window.seen.readings.filter((r) => r[1] > after).length >= count"
        self.page.wait_for_function(script, arg=[moment * 1000, count], timeout=seconds * 1000)
        first = self.page.evaluate("(after) => window.seen.readings.find((r) => r[1] > after)[0]", moment * 1000)
        return first / 1000 - moment

    def longest_gap(self, since: float) -> float:
        """The longest time between two consecutive pictures since a moment, in seconds."""
        times = [r[0] / 1000 for r in self.seen()["readings"] if r[0] / 1000 >= since]
        return max((later - earlier for earlier, later in itertools.pairwise(times)), default=float("inf"))

    def recovery_after(self, moment: float, gap_seconds: float = 0.7) -> float:
        """Seconds from a moment to the end of the last break in the pictures since then; 0 without a break.

        Only as good as the pictures so far: call it once they flow again.
        """
        times = [r[0] / 1000 for r in self.seen()["readings"]]
        ends = [
            later for earlier, later in itertools.pairwise(times) if later > moment and later - earlier > gap_seconds
        ]
        return max(0.0, ends[-1] - moment) if ends else 0.0

    def is_flowing(self, gap_seconds: float = 0.7, seconds: float = 1.5) -> bool:
        """Whether pictures with a clock arrived without a break in the last seconds."""
        now = self.page.evaluate("() => performance.timeOrigin + performance.now()") / 1000
        times = [r[0] / 1000 for r in self.seen()["readings"] if r[0] / 1000 > now - seconds]
        marks = [now - seconds, *times, now]
        return all(later - earlier <= gap_seconds for earlier, later in itertools.pairwise(marks))

    def measure_latency(self, seconds: float) -> Latency:
        """Watch for `seconds` and return the age of the pictures at their arrival."""
        start = time.time()
        self.page.wait_for_timeout(seconds * 1000)
        return Latency.of([r[2] for r in self.seen()["readings"] if r[0] / 1000 >= start])


def launch_browser(playwright: Playwright) -> Browser:
    """Chromium for tests: no sandbox (it may run as root), and pictures are rendered without a screen."""
    return playwright.chromium.launch(
        executable_path=CHROMIUM,
        args=[
            "--no-sandbox",
            "--autoplay-policy=no-user-gesture-required",
            "--disable-gpu",
            "--mute-audio",
            "--disable-background-timer-throttling",
            "--disable-renderer-backgrounding",
            # Other sites, and this machine by its name, for tests of pages that do not come from the gateway.
            f"--host-resolver-rules=MAP *.example 127.0.0.1, MAP {socket.gethostname()} 127.0.0.1",
        ],
    )
