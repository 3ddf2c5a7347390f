"""Time from a click on the timeline to the picture of that moment, in VAS's own page."""

import random
import time
from datetime import UTC, datetime
from statistics import median
from typing import Any

from playwright.sync_api import Page

from tests.stack import Stack

from .browser import open_browser
from .footage import LOOP_SECONDS, record_footage
from .options import Options
from .product import open_product
from .report import Result, Table
from .statistics import percentile

_VIDEO = "[data-testid=recorded-video]"
_TIMELINE = "[role=slider][aria-keyshortcuts]"
_PICTURE_SECONDS = 20

# A seek begins with `seeking`, or with `emptied` if it leaves the contiguous range; the next picture is the wanted one.
_WATCH = """
(selector) => {
  const video = document.querySelector(selector);
  const began = () => {
    const click = window.bench;
    if (!click || click.began) return;
    click.began = performance.now();
    video.requestVideoFrameCallback((now) => { click.picture = now; });
  };
  for (const name of ['seeking', 'emptied']) video.addEventListener(name, began);
  document.addEventListener('pointerdown', () => { window.bench = { clicked: performance.now() }; }, true);
}
"""
_IS_PLAYING = (
    "(selector) => { const v = document.querySelector(selector); return v && !v.paused && v.currentTime > 0; }"
)


def run(options: Options) -> Result:
    """Click at random positions in half an hour, on a playing page."""
    loops, runs, clicks = (6, 1, 4) if options.quick else (60, 3, 30)
    with open_product(recording_mode="off") as stack:
        device = stack.add_device("seek", "rtsp://192.0.2.1/seek", start_mode="manual")["id"]
        options.say("footage")
        start_ms, length_ms = _record(stack, device, loops, runs)
        options.say(f"{clicks} clicks")
        with open_browser() as browser:
            context = browser.new_context(viewport={"width": 1280, "height": 900})
            page = context.new_page()
            opened = _open(page, stack, device, start_ms + length_ms // 2)
            found = [_click(page, share) for share in _places(clicks)]
            context.close()
    return _report(opened, found, length_ms)


def _record(stack: Stack, device: str, loops: int, runs: int) -> tuple[int, int]:
    """Record consecutive runs that end an hour ago; return start and length in milliseconds."""
    length_ms = loops * LOOP_SECONDS * 1000
    start_ms = round(time.time() * 1000) - 3_600_000 - runs * length_ms
    record_footage(stack, device, [start_ms + number * length_ms for number in range(runs)], loops)
    return start_ms, runs * length_ms


def _open(page: Page, stack: Stack, device: str, at_ms: int) -> float:
    """Open the page at a time; return the milliseconds until its picture. The timeline then shows half an hour."""
    moment = datetime.fromtimestamp(at_ms / 1000, UTC).isoformat().replace("+00:00", "Z")
    started = time.monotonic()
    page.goto(f"{stack.url}/devices/{device}?t={moment}", wait_until="commit")
    page.wait_for_function(_IS_PLAYING, arg=_VIDEO, timeout=_PICTURE_SECONDS * 1000)
    opened = (time.monotonic() - started) * 1000
    for _ in range(2):
        page.get_by_role("button", name="Zoom in").click()
    page.evaluate(_WATCH, _VIDEO)
    return opened


def _places(count: int) -> list[float]:
    """Return positions as shares of the timeline's width, each far from the one before."""
    dice = random.Random(7)
    return [dice.uniform(0.15, 0.45) + (0.4 if number % 2 else 0.0) for number in range(count)]


def _click(page: Page, share: float) -> dict[str, Any]:
    """Click once; return the milliseconds until the seek and until the picture."""
    page.evaluate("() => { window.bench = null; }")
    timeline = page.locator(_TIMELINE)
    timeline.wait_for()
    box = timeline.bounding_box()
    timeline.click(position={"x": box["width"] * share, "y": box["height"] * 0.6})
    page.wait_for_function("() => window.bench?.picture", timeout=_PICTURE_SECONDS * 1000)
    marks = page.evaluate("() => window.bench")
    # Let it play briefly before the next click, as for a user.
    page.wait_for_timeout(400)
    return {"seek": marks["began"] - marks["clicked"], "picture": marks["picture"] - marks["clicked"]}


def _report(opened: float, found: list[dict[str, Any]], length_ms: int) -> Result:
    pictures = [one["picture"] for one in found]
    rows = [
        [
            f"{length_ms // 60_000} min, {len(found)} clicks",
            f"{opened:.0f}",
            f"{median(pictures):.0f}",
            f"{percentile(pictures, 0.95):.0f}",
            f"{max(pictures):.0f}",
        ]
    ]
    head = ["footage", "page opened at a time", "click to picture, median", "95 %", "maximum"]
    return Result(
        "seek",
        "",
        {},
        tables=[Table("Seeking in recorded 1080p25, 4 Mbps, a key frame every 2 s; ms", head, rows)],
        notes=["Clicks on the timeline of VAS's own page, minutes apart, so that nothing is loaded in advance."],
        raw={"opened": opened, "clicks": found},
    )
