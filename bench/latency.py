"""Glass-to-glass latency over loopback: from drawing a picture in the camera to its display on the screen."""

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, closing
from functools import partial
from typing import Any

from playwright.sync_api import Browser, Error

from tests.cameras import CameraServer
from tests.stack import Stack

from .browser import View, open_browser, view_device, view_peer, view_whep
from .options import Options
from .product import open_product
from .report import Result, Table
from .statistics import format_ratio, spread

CAMERA = {"codec": "h264", "width": 1280, "height": 720, "fps": 25, "bitrate_kbps": 2500, "key_frame_seconds": 1.0}
#: Cameras by their title in the tables, with the number of rounds.
CAMERAS: dict[str, tuple[dict[str, Any], int]] = {
    "H.264": (CAMERA, 4),
    "H.264 with two B-frames": ({**CAMERA, "profile": "main", "b_frames": 2}, 2),
    "H.265": ({**CAMERA, "codec": "h265"}, 2),
}
OURS = ("VAS, its player", "VAS, WHEP")
WARM_SECONDS = 4.0
BUDGET = "1.10 x"
_REASON_CHARACTERS = 70
#: A peer that shows a smaller share of the pictures is not compared with: it does not play the camera.
_LEAST_SHOWN = 0.8

Views = dict[str, Callable[[], AbstractContextManager[View]]]
Readings = dict[str, list[list[float]]]


def run(options: Options) -> Result:
    """Measure each camera in VAS's player, by WHEP and with each peer, in turns."""
    found: dict[str, tuple[Readings, dict[str, str]]] = {}
    modes: dict[str, str] = {}
    with CameraServer() as cameras, open_product() as product, open_browser() as browser:
        for number, (title, (settings, rounds)) in enumerate(CAMERAS.items()):
            options.say(f"a camera with {title}")
            path = f"/clock{number}"
            url = cameras.add(path, **settings)
            with ExitStack() as held:
                device = product.add_device(title, url)["id"]
                product.wait_for_state(device, "running")
                views = _open_views(held, options, browser, product, device, url)
                found[title] = _measure(options, views, 1 if options.quick else rounds)
                # An output is attached a moment after its stream has begun.
                stream = product.stream(device)
                modes[title] = ", ".join(item["mode"] or "none" for item in stream["outputs"])
                product.delete_device(device)
            cameras.remove(path)
    return _report(found, modes, options)


def _open_views(held: ExitStack, options: Options, browser: Browser, product: Stack, device: str, url: str) -> Views:
    whole = (view_device, view_whep)
    views: Views = {name: partial(view, browser, product, device) for name, view in zip(OURS, whole, strict=True)}
    for kind in options.peers:
        peer = held.enter_context(closing(kind()))
        peer.start([url])
        views[peer.name] = partial(view_peer, browser, product, peer)
    return views


def _measure(options: Options, views: Views, rounds: int) -> tuple[Readings, dict[str, str]]:
    """Return the readings by name, and why there are none of the others."""
    seconds = 6.0 if options.quick else 10.0
    readings: Readings = {}
    refusals: dict[str, str] = {}
    for number in range(rounds):
        for name, view in views.items():
            if name in refusals:
                continue
            options.say(f"{name}, round {number + 1} of {rounds}")
            try:
                with view() as opened:
                    opened.page.wait_for_timeout(WARM_SECONDS * 1000)
                    readings.setdefault(name, []).extend(opened.collect(seconds))
            except Error as error:
                if name in OURS:
                    raise
                refusals[name] = format_refusal(str(error))
                options.say(f"{name}: {refusals[name]}")
                readings.pop(name, None)
    return readings, refusals


def format_refusal(message: str) -> str:
    """Format the error of a player that shows no picture as one short line for a table."""
    line = message.split("\n", 1)[0].removeprefix("Page.evaluate: ").removeprefix("Error: ")
    if "Timeout" in line:
        return "no picture"
    line = line.replace("|", "/")
    return line if len(line) <= _REASON_CHARACTERS else line[: _REASON_CHARACTERS - 1] + "…"


def summarize(readings: Readings) -> dict[str, dict[str, dict[str, float]]]:
    """Return the statistics of each player's readings, of the page and of the screen."""
    return {
        name: {"in_page_ms": spread([row[2] for row in rows]), "on_screen_ms": spread([row[3] for row in rows])}
        for name, rows in readings.items()
        if rows
    }


def build_table(title: str, readings: Readings, refusals: dict[str, str]) -> Table:
    """Build the table of one camera; our figures stand beside those of the best peer."""
    statistics = summarize(readings)
    most = max((found["on_screen_ms"]["count"] for found in statistics.values()), default=0)
    shown = {name: found["on_screen_ms"]["count"] / most for name, found in statistics.items()}
    peers = [
        found["on_screen_ms"] for name, found in statistics.items() if name not in OURS and shown[name] >= _LEAST_SHOWN
    ]
    best = {key: min((found[key] for found in peers), default=0.0) for key in ("median", "p95")}
    rows = []
    for name, found in statistics.items():
        page, screen = found["in_page_ms"], found["on_screen_ms"]
        figures = [screen["median"], screen["p95"], screen["most"], page["median"], page["p95"], screen["count"]]
        ratios = [format_ratio(screen[key], best[key]) for key in best]
        remark = BUDGET if name in OURS else ""
        if shown[name] < _LEAST_SHOWN:
            remark = f"shows only {shown[name]:.0%} of the pictures"
        rows.append([name, *(f"{value:.0f}" for value in figures), *ratios, remark])
    rows += [[name, *["-"] * 8, refusal] for name, refusal in refusals.items()]
    head = ["", "median", "p95", "maximum", "in page: median", "p95", "pictures"]
    head += ["median relative to the best peer", "p95 relative", "budget, or why not shown"]
    return Table(
        f"Glass to glass, ms ({title}, 1280x720 at 25 fps, key frame every second, loopback, Chromium)", head, rows
    )


def _report(found: dict[str, tuple[Readings, dict[str, str]]], modes: dict[str, str], options: Options) -> Result:
    return Result(
        "latency",
        "",
        {},
        tables=[build_table(title, *measured) for title, measured in found.items()],
        notes=[
            "From drawing the clock in the camera to the browser's expected display time of the picture with that "
            "clock; 'in page' ends with the frame callback. Encoding in the camera and decoding on the CPU are "
            "included.",
            f"The SFU's output of the streams: {'; '.join(f'{title}: {mode}' for title, mode in modes.items())}. "
            "All players receive with the same minimum buffer.",
            f"Peers: {', '.join(peer.name for peer in options.peers) or 'none'}; the best peer is that with the lowest "
            "figure of each column.",
        ],
        raw={
            "summary": {title: summarize(readings) for title, (readings, _) in found.items()},
            "refusals": {title: refusals for title, (_, refusals) in found.items()},
            "readings": {title: readings for title, (readings, _) in found.items()},
            "cameras": {title: settings for title, (settings, _) in CAMERAS.items()},
        },
    )
