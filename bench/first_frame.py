"""Time from opening a player to the first picture, by the camera's key-frame interval."""

import random
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from functools import partial
from statistics import median
from typing import Any

from playwright.sync_api import Browser

from tests.stack import Stack

from .browser import LIVE_SECONDS, open_browser, view_peer
from .cameras import CameraFleet
from .options import Options
from .product import open_product
from .report import Result, Table
from .statistics import format_ratio

GOPS = (1.0, 2.0, 4.0, 10.0)
_VISITS = {"first": "first visit", "again": "again"}
_MARKS = """() => Object.fromEntries(performance.getEntriesByType('mark')
  .filter((mark) => mark.name.startsWith('player:')).map((mark) => [mark.name.slice(7), mark.startTime]))"""
_IS_LIVE = "() => performance.getEntriesByName('player:first-live-frame').length > 0"


def run(options: Options) -> Result:
    """Open a new browser profile several times for each interval, at times distributed over the interval."""
    gops, openings = ((1.0, 4.0), 2) if options.quick else (GOPS, 8)
    raw: dict[str, Any] = {}
    with open_product() as stack, open_browser() as browser:
        for gop in gops:
            options.say(f"key frame every {gop:g} s")
            with ExitStack() as held:
                # Cameras that send no key frame on request, like most: others would favour the peer, and change the
                # interval for VAS.
                url = held.enter_context(CameraFleet(1, gop)).urls[0]
                device = stack.add_device(f"gop {gop:g}", url)["id"]
                stack.wait_for_state(device, "running")
                peers = [held.enter_context(closing(kind())) for kind in options.peers]
                for peer in peers:
                    peer.start([url])
                # Wait for one whole interval on the bus; the first opening only warms up the programs.
                time.sleep(gop + 2)
                _open_device(browser, stack, device, lambda: None)
                found: dict[str, list[dict[str, float]]] = {"first": [], "again": []}
                for number in range(openings):
                    wait = partial(_wait_phase, gop, number, openings)
                    first, again = _open_device(browser, stack, device, wait)
                    found["first"].append(first)
                    found["again"].append(again)
                    for peer in peers:
                        wait()
                        with view_peer(browser, stack, peer, has_clock=False) as view:
                            found.setdefault(peer.name, []).append(view.marks)
                raw[f"{gop:g}"] = found
                stack.delete_device(device)
    return _report(raw)


def _wait_phase(gop: float, number: int, openings: int) -> None:
    """Wait for a part of the interval that differs each time.

    The previous view ended at a key frame: without this, all openings would wait for the same time.
    """
    time.sleep((number + random.random()) / openings * gop)


def _open_device(
    browser: Browser, stack: Stack, device: str, wait: Callable[[], None]
) -> tuple[dict[str, float], dict[str, float]]:
    """Return the marks (ms since navigation) of a first visit and of a second one in the same profile."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    try:
        visits = []
        for _ in range(2):
            page = context.new_page()
            wait()
            page.goto(f"{stack.url}/devices/{device}?autoplay=1", wait_until="commit")
            page.wait_for_function(_IS_LIVE, timeout=LIVE_SECONDS * 1000)
            visits.append(page.evaluate(_MARKS))
            page.close()
        return visits[0], visits[1]
    finally:
        context.close()


def build_rows(gop: str, found: dict[str, list[dict[str, float]]]) -> list[list[str]]:
    """Build the rows of one key-frame interval: our two visits, relative to the quickest peer, then each peer."""
    peers = {name: marks for name, marks in found.items() if name not in _VISITS}
    theirs = {name: [mark["firstFrameMs"] - mark["startMs"] for mark in marks] for name, marks in peers.items()}
    best = min((median(values) for values in theirs.values()), default=0.0)
    rows = []
    for visit, name in _VISITS.items():
        marks = found[visit]
        picture = [mark["first-picture"] - mark["connect"] for mark in marks]
        live = [mark["first-live-frame"] - mark["connect"] for mark in marks]
        rows.append(
            [
                f"{gop} s, {name}",
                _both([mark["connect"] for mark in marks]),
                _both(picture),
                _both(live),
                format_ratio(median(picture), best),
                format_ratio(median(live), best),
                "300",
                f"{float(gop) * 1000 + 300:.0f}",
            ]
        )
    for name, values in theirs.items():
        offered = [mark["firstFrameMs"] - mark["offerMs"] for mark in peers[name]]
        ratio = format_ratio(median(values), best)
        figures = [_both(values), _both(values), ratio, ratio]
        rows.append([f"{gop} s, {name}", "-", *figures, f"from its offer or answer: {_both(offered)}", ""])
    return rows


def _report(raw: dict[str, Any]) -> Result:
    head = ["key frame every", "page to connect", "connect to first picture", "connect to live picture"]
    head += ["first picture relative to the quickest peer", "live relative to it", "budget: first picture", "live"]
    rows = [row for gop, found in raw.items() for row in build_rows(gop, found)]
    return Result(
        "first_frame",
        "",
        {},
        tables=[
            Table("From opening the page to the picture, ms: median (maximum), of a 1080p25 4 Mbps camera", head, rows)
        ],
        notes=[
            "The first picture is decoded from the newest footage of the bus; the live picture is WebRTC's first "
            "frame. "
            "A first visit has an empty cache; 'again' is the second one in the same browser profile.",
            "A peer is measured from its first request to its first frame: it has no picture before the next key "
            "frame. "
            "It forwards a viewer's key-frame request to the camera, and is faster with cameras that respond to it; "
            "these do not.",
        ],
        raw=raw,
    )


def _both(values: list[float]) -> str:
    return f"{median(values):.0f} ({max(values):.0f})"
