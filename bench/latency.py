"""Glass-to-glass latency over loopback: from drawing a picture in the camera to its display on the screen."""

from contextlib import ExitStack, closing
from functools import partial
from typing import Any

from tests.cameras import CameraServer

from .browser import open_browser, view_device, view_peer, view_whep
from .options import Options
from .product import open_product
from .report import Result, Table
from .statistics import format_ratio, spread

CAMERA = {"codec": "h264", "width": 1280, "height": 720, "fps": 25, "bitrate_kbps": 2500, "key_frame_seconds": 1.0}
WARM_SECONDS = 4.0
BUDGET = "100 / 150"


def run(options: Options) -> Result:
    """Measure the same camera in VAS's player, by WHEP and with the peer, in turns."""
    rounds, seconds = (1, 6.0) if options.quick else (4, 10.0)
    readings: dict[str, list[list[float]]] = {}
    with ExitStack() as stack_of:
        cameras = stack_of.enter_context(CameraServer())
        url = cameras.add("/clock", **CAMERA)
        product = stack_of.enter_context(open_product())
        device = product.add_device("clock", url)["id"]
        stream = product.wait_for_state(device, "running")
        browser = stack_of.enter_context(open_browser())
        players: dict[str, Any] = {
            "VAS, its player": partial(view_device, browser, product, device),
            "VAS, WHEP": partial(view_whep, browser, product, device),
        }
        if options.peer is not None:
            peer = stack_of.enter_context(closing(options.peer()))
            peer.start([url])
            players[peer.name] = partial(view_peer, browser, product, peer)
        for number in range(rounds):
            for name, view in players.items():
                options.say(f"{name}, round {number + 1} of {rounds}")
                with view() as opened:
                    opened.page.wait_for_timeout(WARM_SECONDS * 1000)
                    readings.setdefault(name, []).extend(opened.collect(seconds))
    return _report(readings, options, stream)


def _report(readings: dict[str, list[list[float]]], options: Options, stream: dict[str, Any]) -> Result:
    statistics = {
        name: {"in_page_ms": spread([row[2] for row in rows]), "on_screen_ms": spread([row[3] for row in rows])}
        for name, rows in readings.items()
    }
    peer = options.peer.name if options.peer else None
    rows = []
    for name, found in statistics.items():
        page, screen = found["in_page_ms"], found["on_screen_ms"]
        ratio = format_ratio(screen["median"], statistics[peer]["on_screen_ms"]["median"]) if peer else "-"
        rows.append(
            [
                name,
                f"{screen['median']:.0f}",
                f"{screen['p95']:.0f}",
                f"{screen['most']:.0f}",
                f"{page['median']:.0f}",
                f"{page['p95']:.0f}",
                f"{screen['count']}",
                ratio if name != peer else "1",
                BUDGET if name != peer else "",
            ]
        )
    return Result(
        "latency",
        "",
        {},
        tables=[
            Table(
                "Glass to glass, ms (H.264 1280x720 at 25 fps, key frame every second, loopback, Chromium)",
                [
                    "",
                    "median",
                    "p95",
                    "maximum",
                    "in page: median",
                    "p95",
                    "pictures",
                    "median relative to the peer",
                    "budget",
                ],
                rows,
            )
        ],
        notes=[
            "From drawing the clock in the camera to the browser's expected display time of the picture with that "
            "clock; 'in page' ends with the frame callback. Encoding in the camera and decoding on the CPU are "
            "included.",
            f"The SFU's output of the stream: {', '.join(item['mode'] or 'none' for item in stream['outputs'])}. "
            "All three receive with the same minimum buffer.",
        ],
        raw={"summary": statistics, "readings": readings, "camera": CAMERA},
    )
