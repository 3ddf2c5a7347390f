"""Chromium plays an exact export with the right duration, and shows the right frame after each seek."""

import base64
import http.server
import threading
from collections.abc import Iterator
from functools import partial

import numpy
import pytest
from playwright.sync_api import Page, sync_playwright

from tests.cameras.counter import read_counter
from tests.playback import NOON_MS, make_clip
from tests.stack.viewer import launch_browser
from tests.workers.exporting.movies import numbers_in

pytestmark = pytest.mark.e2e

#: A blob allows seeking, whatever the test's server supports.
_LOAD = """async url => {
    window.video = document.createElement('video');
    video.muted = true;
    video.src = URL.createObjectURL(await (await fetch(url)).blob());
    await new Promise((done, failed) => { video.onloadeddata = done; video.onerror = () => failed(video.error.message);
    }); return video.duration;
}"""
_SEEK = """async seconds => {
    const shown = new Promise(done => video.requestVideoFrameCallback(done));
    video.currentTime = seconds;
    await Promise.race([shown, new Promise(done => setTimeout(done, 2000))]);
    const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight);
    const context = canvas.getContext('2d');
    context.drawImage(video, 0, 0);
    const pixels = context.getImageData(0, 0, canvas.width, canvas.height).data;
    let grey = '';
    for (let at = 0; at < pixels.length; at += 4) grey += String.fromCharCode(pixels[at]);
    return [btoa(grey), canvas.width, canvas.height];
}"""
_PLAY = """async () => {
    video.currentTime = 0;
    video.playbackRate = 4;
    await video.play();
    await new Promise((done, failed) => { video.onended = done; video.onerror = () => failed(video.error.message); });
    return video.currentTime;
}"""


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def page(config) -> Iterator[tuple[Page, str]]:
    """A page next to the exported files, and its address."""
    config.exports_dir.mkdir(exist_ok=True)
    (config.exports_dir / "index.html").write_text("<title>movie</title>")
    handler = partial(_Quiet, directory=str(config.exports_dir))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server, sync_playwright() as playwright:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        browser = launch_browser(playwright)
        page = browser.new_page()
        address = f"http://127.0.0.1:{server.server_port}/"
        page.goto(address + "index.html")
        yield page, address
        browser.close()
        server.shutdown()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_an_exact_movie_plays_and_every_frame_is_at_its_time(page, footage, exporter, movie_of):
    footage.record(make_clip(seconds=6, first_frame=100, key_seconds=2), NOON_MS)
    footage.record(make_clip(seconds=4, first_frame=250, key_seconds=2), NOON_MS + 20_000)
    movie = movie_of(exporter.export(NOON_MS + 1400, NOON_MS + 23_000, "exact"))
    numbers = numbers_in(movie)
    assert numbers == [*range(135, 250), *range(250, 325)]
    page, address = page
    assert page.evaluate(_LOAD, address + movie.name) == pytest.approx(len(numbers) / 25, abs=0.01)
    # In the re-encoded part, at the seam, at the gap, and at the end.
    for place in (0, 1, 7, 13, 14, 15, 16, 60, 113, 114, 115, 116, 188, 189):
        pixels, width, height = page.evaluate(_SEEK, (place + 0.5) / 25)
        picture = numpy.frombuffer(base64.b64decode(pixels), numpy.uint8).reshape(height, width)
        assert read_counter(picture) == numbers[place], place
    assert page.evaluate(_PLAY) == pytest.approx(len(numbers) / 25, abs=0.05)
