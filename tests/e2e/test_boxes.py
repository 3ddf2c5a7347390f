"""Boxes over the player in Chromium, live and recorded: they lie on the square that the camera draws."""

import io
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from statistics import median
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

WIDTH, HEIGHT, FPS = 640, 360, 15
#: The square crosses 74 % of the picture in five seconds.
PIXELS_PER_FRAME = 0.74 * WIDTH / 5 / FPS
PICTURES = 60

# For each picture: the left edge and the width of the square in it, and of the box over it, in parts of the picture.
_MEASURE = """
([testId, count]) => new Promise((resolve) => {
  const video = document.querySelector(`[data-testid=${testId}]`);
  const canvas = new OffscreenCanvas(640, 360);
  const context = canvas.getContext('2d', { willReadFrequently: true });
  const found = [];
  const look = () => {
    context.drawImage(video, 0, 0, 640, 360);
    const { data } = context.getImageData(0, 180, 640, 1);
    let [first, last] = [-1, -1];
    for (let x = 0; x < 640; x += 1) {
      if (data[x * 4] > 150 && data[x * 4 + 1] < 100 && data[x * 4 + 2] > 150) {
        if (first < 0) first = x;
        last = x;
      }
    }
    const box = document.querySelector('[data-testid=boxes] > div');
    if (first >= 0) {
      const shown = box && [parseFloat(box.style.left) / 100, parseFloat(box.style.width) / 100];
      found.push([first / 640, (last + 1 - first) / 640, shown]);
    }
    if (found.length >= count) resolve(found);
    else video.requestVideoFrameCallback(look);
  };
  video.requestVideoFrameCallback(look);
})
"""


class _Finder(BaseHTTPRequestHandler):
    """A detector: finds the square in the posted picture."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        picture = self.rfile.read(int(self.headers["Content-Length"]))
        pixels = np.asarray(Image.open(io.BytesIO(picture)).convert("RGB")).astype(int)
        is_square = (pixels[..., 0] > 150) & (pixels[..., 1] < 100) & (pixels[..., 2] > 150)
        rows, columns = np.nonzero(is_square)
        found: list[dict[str, Any]] = []
        if len(rows):
            height, width = is_square.shape
            left, right, top, bottom = columns.min(), columns.max() + 1, rows.min(), rows.max() + 1
            found.append(
                {
                    "label": "square",
                    "score": 0.9,
                    "x": left / width,
                    "y": top / height,
                    "width": (right - left) / width,
                    "height": (bottom - top) / height,
                }
            )
        answer = json.dumps(found).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def detector(stack) -> Iterator[None]:
    """The detector `http` of the installation."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Finder)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    path = "/plugins/ai_analytics/options"
    stack.api.put(path, {"values": {"http_url": f"http://127.0.0.1:{server.server_port}/"}})
    yield
    stack.api.put(path, {"values": {}})
    server.shutdown()


@dataclass(frozen=True)
class Offsets:
    """How far the box is from the square, between their centres, in pixels of the picture; None without a box."""

    pixels: list[float | None]

    @classmethod
    def measure(cls, page: Page, test_id: str) -> "Offsets":
        found = page.evaluate(_MEASURE, [test_id, PICTURES])
        return cls(
            [None if box is None else (box[0] + box[1] / 2 - left - width / 2) * WIDTH for left, width, box in found]
        )

    @property
    def shown(self) -> list[float]:
        return sorted(abs(one) for one in self.pixels if one is not None)

    @property
    def median_frames(self) -> float:
        return median(self.shown) / PIXELS_PER_FRAME

    def __str__(self) -> str:
        shown = self.shown
        return (
            f"median {median(shown):.1f} px = {self.median_frames:.1f} frames,"
            f" p90 {shown[int(len(shown) * 0.9)]:.1f} px, in {len(shown)} of {len(self.pixels)} pictures"
        )


def test_boxes_lie_on_what_moves_live_and_recorded(stack, add_camera, add_device, watch, detector, note):
    settings = {"scene": "square", "key_frame_seconds": 1}
    sub = add_camera("sub", width=320, height=180, fps=10, **settings)
    device_id = add_device(add_camera(width=WIDTH, height=HEIGHT, fps=FPS, **settings), sub_source_url=sub)
    stack.wait_for_state(device_id, "running")
    stack.api.post(f"/recordings/devices/{device_id}/start")
    values = {"is_on": True, "detectors": ["http"], "labels": [], "fps": 10, "detector_fps": 5, "motion_events": False}
    stack.api.put(f"/devices/{device_id}/plugins/ai_analytics", {"values": values})

    viewer = watch(device_id)
    viewer.wait_live()
    page = viewer.page
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    expect(page.get_by_test_id("boxes")).not_to_be_attached()
    assert not [url for url in asked if "detections" in url or "analysis" in url]
    page.get_by_role("button", name="More actions").click()
    page.get_by_role("menuitemcheckbox", name="Boxes of objects").click()
    page.wait_for_selector("[data-testid=boxes] > div", timeout=30_000)
    page.wait_for_timeout(1500)
    live = Offsets.measure(page, "live-video")

    def stored() -> list[float] | None:
        """The times of the boxes of an object that was followed for some seconds."""
        now = datetime.now(UTC).timestamp()
        start, end = (datetime.fromtimestamp(at, UTC).isoformat() for at in (now - 60, now))
        query = f"start={start}&end={end}".replace("+", "%2B")
        tracks = stack.api.get(f"/devices/{device_id}/detections?{query}")["tracks"]
        times = [box[0] for track in tracks for box in track["boxes"]]
        return times if times and max(times) - min(times) > 8000 else None

    times = stack.wait_until(stored, 40, "boxes are stored")
    moment = datetime.fromtimestamp(min(times) / 1000 + 1, UTC).isoformat(timespec="milliseconds")
    # The switch is remembered.
    page.goto(f"{stack.url}/devices/{device_id}?t={moment.replace('+', '%2B')}")
    page.wait_for_selector("[data-testid=recorded-video][data-player-state=playing]", timeout=20_000)
    page.wait_for_selector("[data-testid=boxes] > div", timeout=20_000)
    recorded = Offsets.measure(page, "recorded-video")

    note(f"boxes against the drawn square in Chromium: live {live}; recorded {recorded}")
    assert viewer.problems == []
    assert len(recorded.shown) > PICTURES * 0.8
    assert len(live.shown) > PICTURES * 0.5
    assert recorded.median_frames < 1
    # Where it turns, live boxes go on until detectors have seen it: longer on a busy machine.
    assert live.median_frames < 5
