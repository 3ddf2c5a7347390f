"""Chromium on a device's page, a WHEP page or a peer's page, which records the clock of each picture."""

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from tests.stack import Stack

from .peers import Peer

CHROMIUM = "/usr/bin/chromium"
CLOCK_SCRIPT = Path(__file__).resolve().parents[1] / "tests/cameras/clock.js"
WATCH_SCRIPT = Path(__file__).with_name("watch.js")
LIVE_SECONDS = 30
_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
    "--mute-audio",
    "--disable-background-timer-throttling",
    "--disable-renderer-backgrounding",
    # Addresses instead of .local names, which a peer would have to resolve by mDNS.
    "--disable-features=WebRtcHideLocalIpsWithMdns",
]
_BLANK = "<!doctype html><title>bench</title><video id=video muted autoplay playsinline></video>"
_READINGS = "(from) => window.bench.readings.filter((reading) => reading[0] >= from)"


@contextmanager
def open_browser() -> Iterator[Browser]:
    """Open headless Chromium, which decodes on the CPU."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=_FLAGS)
        try:
            yield browser
        finally:
            browser.close()


class View:
    """A page that shows one camera. `marks` are in ms since navigation. Methods raise Playwright's errors."""

    def __init__(self, page: Page, marks: dict[str, float]) -> None:
        self.page = page
        self.marks = marks

    def await_pictures(self, count: int = 1) -> None:
        """Wait until `count` pictures with a clock have been shown."""
        script = "(count) => window.bench.readings.length >= count"
        self.page.wait_for_function(script, arg=count, timeout=LIVE_SECONDS * 1000)

    def readings_since(self, moment: float) -> list[list[float]]:
        """Return `[seen, drawn, delay, display delay]` in ms of the pictures since a time (seconds since 1970)."""
        return self.page.evaluate(_READINGS, moment * 1000)

    def collect_beeps(self, seconds: float, fps: float) -> list[float]:
        """Return the picture's number, with fractions, at each beep of a DriftingCamera in the next `seconds`."""
        self.page.evaluate("(fps) => benchListen(document.querySelector('video'), fps)", fps)
        self.page.wait_for_timeout(seconds * 1000)
        return self.page.evaluate("() => benchBeeps")

    def collect(self, seconds: float) -> list[list[float]]:
        """Return the readings of the next `seconds`."""
        started = time.time()
        self.page.wait_for_timeout(seconds * 1000)
        return self.readings_since(started)


@contextmanager
def view_device(browser: Browser, stack: Stack, device_id: str, *, has_clock: bool = True) -> Iterator[View]:
    """Open VAS's device page like a user; yields it once it is live and its clock, if any, has been read."""
    context = browser.new_context(bypass_csp=True, viewport={"width": 1280, "height": 800})
    try:
        page = context.new_page()
        page.goto(f"{stack.url}/devices/{device_id}?autoplay=1")
        page.wait_for_selector("[data-testid=live-video]", state="attached", timeout=LIVE_SECONDS * 1000)
        page.add_script_tag(path=CLOCK_SCRIPT)
        page.add_script_tag(path=WATCH_SCRIPT)
        page.evaluate("() => benchNote(document.querySelector('[data-testid=live-video]'))")
        page.wait_for_selector("[data-player-state=live]", state="attached", timeout=LIVE_SECONDS * 1000)
        view = View(page, {})
        if has_clock:
            view.await_pictures()
        yield view
    finally:
        context.close()


def view_whep(
    browser: Browser, stack: Stack, device_id: str, *, has_sound: bool = False
) -> AbstractContextManager[View]:
    """Open a minimal WHEP player."""
    grant = stack.api.post(f"/streams/{device_id}/viewers")
    options = {"url": grant["whep_url"], "token": grant["token"], "hasSound": has_sound}
    return _view_blank(browser, stack, "watchWhep", options, [])


def view_peer(
    browser: Browser, stack: Stack, peer: Peer, camera: int = 0, *, has_clock: bool = True
) -> AbstractContextManager[View]:
    """Open a camera of the peer in a blank page."""
    return _view_blank(browser, stack, "watchPeer", peer.watch_options(camera), [peer.script], has_clock=has_clock)


@contextmanager
def _view_blank(
    browser: Browser,
    stack: Stack,
    function: str,
    options: dict[str, Any],
    scripts: list[Path],
    *,
    has_clock: bool = True,
) -> Iterator[View]:
    context = browser.new_context(bypass_csp=True, viewport={"width": 1280, "height": 800})
    try:
        page = context.new_page()
        # Loaded from loopback, because Chromium allows only such pages to access other ports of loopback.
        page.goto(f"{stack.url}/api/v1/health/live")
        page.set_content(_BLANK)
        for script in [CLOCK_SCRIPT, WATCH_SCRIPT, *scripts]:
            page.add_script_tag(path=script)
        marks = page.evaluate(
            f"""async (options) => {{
              const video = document.querySelector('video');
              benchNote(video);
              const {{ pc, startMs, offerMs }} = await {function}(video, options);
              globalThis.benchConnection = pc;
              return {{ startMs, offerMs }};
            }}""",
            options,
        )
        view = View(page, marks)
        page.wait_for_function("() => window.bench.firstFrameMs !== null", timeout=LIVE_SECONDS * 1000)
        if has_clock:
            view.await_pictures()
        view.marks["firstFrameMs"] = page.evaluate("() => window.bench.firstFrameMs")
        yield view
        page.evaluate("() => benchConnection.close()")
    finally:
        context.close()
