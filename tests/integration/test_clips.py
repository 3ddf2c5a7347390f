"""Clips of live cameras without recording show the frames that the cameras' drawn clocks require."""

import io
import threading
from itertools import pairwise
from threading import BoundedSemaphore

import av
import numpy
import pytest
from PIL import Image

from gateway.captures.bookmark_changes import create_bookmark
from gateway.captures.bookmarks import CLIP, BookmarkValues, find_bookmark
from gateway.captures.files import CaptureFiles
from tests.cameras import read_clock
from tests.factories import make_config
from tests.integration.test_supervisor import run  # noqa: F401 - a fixture
from tests.workers.clips.conftest import now_ms
from workers.clips.clips import run_clip
from workers.job_runner import JobRunner

#: Maximum delay from drawing a frame in the camera to the wall clock of its part.
_LATE_MS = 800
_TAGS = {"h264": "avc1", "h265": "hvc1"}


def test_a_live_clip_shows_the_time_around_its_bookmark(run, sqlite_url, store, scope, tmp_path):  # noqa: F811
    config = make_config(
        database_url=sqlite_url,
        redis_url=store.url,
        captures_dir=tmp_path / "captures",
        recordings_dir=tmp_path / "recordings",
    )
    cameras = {codec: run(f"/clip-{codec}", codec=codec, fps=10, key_frame_seconds=1) for codec in _TAGS}
    for camera in cameras.values():
        camera.parts(6)
    at_ms = now_ms()
    bookmarks = {}
    for number, (codec, camera) in enumerate(cameras.items(), 1):
        values = BookmarkValues(at_ms, "Now", before_ms=1500, after_ms=1000)
        bookmarks[codec], _ = create_bookmark(
            scope, f"b00c0000-0000-4000-8000-{number:012}", values, device_id=camera.id, device_name="Gate", asked={}
        )
    runner = JobRunner(config, "test", {CLIP: run_clip}, BoundedSemaphore(2))
    threads = [threading.Thread(target=runner.run, args=(one.clip_job_id,)) for one in bookmarks.values()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    for codec, bookmark in bookmarks.items():
        _check(CaptureFiles.from_config(config), find_bookmark(scope, bookmark.id), codec)


def _check(files: CaptureFiles, made, codec: str) -> None:
    assert made.clip_state == "ready", made.clip_reason_message
    with av.open(str(files.path(made.clip_file))) as container:
        assert container.streams.video[0].codec_tag == _TAGS[codec]
        assert container.duration / 1e6 == pytest.approx(made.clip_seconds, abs=0.01)
        shown = [
            (frame.time, read_clock(frame.to_ndarray(format="rgb24")).time_ms) for frame in container.decode(video=0)
        ]
    drawn = [moment for _, moment in shown]
    start_ms, end_ms = made.at_ms - 1500, made.at_ms + 1000
    assert drawn[0] <= start_ms < drawn[0] + 1100 + _LATE_MS, "from the key frame before the start"
    assert drawn[-1] >= end_ms - 200 - _LATE_MS, "to the end, which was awaited"
    assert made.clip_end_ms >= end_ms - 2
    for (time, moment), (later_time, later_moment) in pairwise(shown):
        assert later_moment - moment == pytest.approx(1000 * (later_time - time), abs=60)
    assert made.clip_seconds == pytest.approx((drawn[-1] - drawn[0] + 100) / 1000, abs=0.15)
    picture = numpy.asarray(Image.open(io.BytesIO(files.read(made.poster_file))).convert("L"))
    assert made.at_ms - 200 - _LATE_MS <= read_clock(picture).time_ms <= made.at_ms + 10
