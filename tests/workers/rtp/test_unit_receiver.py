"""Whole access units of sessions without packets: described by themselves, placed by their stamps, never trusted."""

import random

import pytest

from tests.cameras.encoded import LoopSettings, load_loop
from tests.cameras.http_pictures import make_picture
from workers.rtp.unit_receiver import UnitReceiver
from workers.rtp.units import AUDIO, VIDEO, CodecData, TrackDescription

LOOP = LoopSettings(width=192, height=128, fps=15, bitrate_kbps=100, gop_seconds=1)
START = b"\0\0\0\1"


class LineClock:
    def place(self, timestamp: int, arrived: float) -> float:
        return timestamp / 90_000


def receiver_of(codec: str, kind: str = VIDEO) -> tuple[UnitReceiver, list]:
    units = []
    return UnitReceiver(TrackDescription(0, kind, codec, 96, 90_000), LineClock(), units.append), units


def test_jpeg_pictures_are_described_by_their_own_header():
    receiver, units = receiver_of("mjpeg")
    for number, size in enumerate([(320, 192), (320, 192), (640, 360)]):
        receiver.receive(number * 9000, make_picture(number, size), False, 5.0)
    assert [unit.time for unit in units] == [0.0, 0.1, 0.2]
    assert [unit.timestamp for unit in units] == [0, 9000, 18_000]
    assert all(unit.is_key for unit in units)
    assert [unit.codec_data and unit.codec_data.width for unit in units] == [320, None, 640]


def test_h264_units_with_start_codes_are_read():
    loop = load_loop(LOOP)
    receiver, units = receiver_of("h264")
    for number, unit in enumerate(loop.access_units[:20]):
        nals = (loop.sps, loop.pps, *unit.nals) if unit.is_key else unit.nals
        receiver.receive(number * 6000, b"".join(START + nal for nal in nals), not unit.is_key, 5.0)
    assert [unit.is_key for unit in units] == [unit.is_key for unit in loop.access_units[:20]], "the stream itself says"
    assert (receiver.codec_data.width, receiver.codec_data.height) == (192, 128)
    assert (receiver.units, receiver.damaged_units) == (20, 0)
    assert units[0].data[4:].startswith(loop.sps)


def test_other_codecs_need_their_description():
    receiver, units = receiver_of("aac", AUDIO)
    receiver.receive(0, b"sound", True, 5.0)
    assert receiver.damaged_units == 1
    data = CodecData("aac", b"\x12\x10", sample_rate=44_100, channels=2)
    receiver.receive(1, b"sound", True, 5.0, data)
    receiver.receive(2, b"sound", True, 5.0)
    assert [unit.codec_data for unit in units] == [data, None]
    assert not any(unit.is_key for unit in units)
    receiver.receive(3, b"sound", True, 5.0, CodecData("opus"))
    assert receiver.damaged_units == 2


def test_two_units_never_have_the_same_time():
    receiver, units = receiver_of("mjpeg")
    for _ in range(2):
        receiver.receive(0, make_picture(), True, 5.0)
    assert units[0].time < units[1].time


@pytest.mark.parametrize("codec", ["mjpeg", "h264", "hevc", "mpeg4", "aac"])
def test_any_bytes_are_units_or_counted(codec):
    receiver, units = receiver_of(codec)
    numbers = random.Random(4)
    begins = (b"", START, b"\0\0\1", b"\xff\xd8\xff", make_picture()[:200], START + b"\x67\x42")
    for number in range(2000):
        receiver.receive(
            number, numbers.choice(begins) + numbers.randbytes(numbers.randrange(300)), True, float(number)
        )
    assert receiver.packets == 2000
    assert receiver.units + receiver.damaged_units == 2000
    assert len(units) == receiver.units
    receiver.settle(9.0)
    assert receiver.unwrap(5) is None
