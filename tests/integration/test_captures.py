"""A picture of a real camera shows the drawn clock at its moment, and is no older than a group of pictures."""

import io
import time

import numpy
import pytest
from PIL import Image

from gateway.captures.queue import EXACT, KEY_FRAME
from gateway.storage.local import LocalStorage
from tests.cameras.clock import read_clock
from tests.conftest import wait_until
from tests.integration.test_supervisor import run  # noqa: F401
from workers.captures.picture_sources import PictureSources
from workers.captures.pictures import Shot, make_picture

GOP_SECONDS = 1.0
#: Latency of the newest part: its own length, and a little more on a busy machine.
LATENCY_SECONDS = 1.2


def clock_ms(shot: Shot) -> int:
    reading = read_clock(numpy.asarray(Image.open(io.BytesIO(make_picture(shot).jpeg))))
    assert reading is not None, "the drawn clock can be read"
    return reading.time_ms


@pytest.mark.parametrize("settings", [{"codec": "h264", "b_frames": 2}, {"codec": "h265"}], ids=["h264", "h265"])
def test_a_live_picture_is_no_older_than_a_group_of_pictures_and_has_its_own_moment(run, tmp_path, settings):  # noqa: F811
    running = run("/captured", key_frame_seconds=GOP_SECONDS, **settings)
    # With B-frames the first parts of a camera arrive late: the second group is representative.
    wait_until(lambda: sum(part.is_key for part in running.parts(2)) >= 2, "two groups are on the bus", 20)
    sources = PictureSources(running.bus, LocalStorage(tmp_path))
    for accuracy, oldest in ((KEY_FRAME, GOP_SECONDS + LATENCY_SECONDS), (EXACT, LATENCY_SECONDS)):
        requested_ms = time.time() * 1000
        shot = sources.find_live(running.id, accuracy).decode()
        drawn_ms = clock_ms(shot)
        assert requested_ms - drawn_ms <= oldest * 1000
        assert abs(shot.at_ms - drawn_ms) <= 500, "its moment is that of the drawn clock"
