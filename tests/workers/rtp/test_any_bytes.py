"""Whatever comes from the network: no exception, no unit that cannot be right, bounded memory."""

import struct
import tracemalloc
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workers.rtp.feeds import FakeTaker, Rig, Sender, encode, nals_of, split_pictures, sprop_of, video_track
from workers.rtp import h264, jpeg, mpeg4, nal_units

CODECS = ("h264", "hevc", "mjpeg", "mpeg4")
#: Beginnings that lead deep into the payload formats.
STARTS = [
    *(bytes((first,)) for first in (0x65, 0x41, 0x67, 0x68, 0x78, 0x79, 0x7A, 0x7B, 0x7D, 0)),
    *(bytes((0x7C, header)) for header in (0x85, 0x05, 0x45, 0xC5, 0x81, 0x01, 0x41, 0x87, 0x47)),
    *(bytes((kind << 1, 1)) for kind in (1, 19, 32, 33, 34, 39, 48)),
    *(bytes((98, 1, header)) for header in (0x93, 0x13, 0x53, 0x81, 0x41)),
    *(
        struct.pack(">BBHBB", 0, 0, offset, kind, q)
        for offset in (0, 9)
        for kind in (0, 1, 65, 3)
        for q in (0, 50, 255)
    ),
    b"\0\0\1\xb6",
    b"\0\0\1\xb0",
    b"\0\0\1\x20",
    b"\0\0\0\1",
]
payloads = st.builds(lambda start, rest: start + rest, st.sampled_from([b"", *STARTS]), st.binary(max_size=60))


@cache
def known_packets(codec: str) -> list[bytes]:
    options = {
        "h264": ("-pix_fmt", "yuv420p", "-g", "3", "-x264-params", "aud=1:slices=2"),
        "hevc": ("-pix_fmt", "yuv420p", "-x265-params", "aud=1:keyint=3:repeat-headers=1:log-level=none"),
    }[codec]
    pictures = split_pictures(codec, encode(codec, *options, frames=6, source="testsrc2=size=96x64:rate=25"))
    return Sender().pictures(codec, pictures)


def check(rig: Rig) -> None:
    rig.receiver.settle(1e9)
    rig.receiver.flush()
    for unit in rig.units:
        assert unit.data
        if rig.track.codec in ("h264", "hevc"):
            assert all(nals_of(unit.data))
    if rig.units:
        assert rig.units[0].codec_data is not None


@given(st.sampled_from(CODECS), st.lists(st.binary(max_size=80), max_size=20))
def test_any_packets(codec, packets):
    rig = Rig(video_track(codec))
    rig.receiver.taker = FakeTaker()
    rig.feed(packets)
    check(rig)


@given(
    st.sampled_from(CODECS),
    st.lists(st.tuples(payloads, st.integers(0, 3), st.booleans(), st.integers(0, 20)), max_size=40),
)
def test_any_payloads_stamps_and_markers(codec, packets):
    sets = sprop_of(codec, [packet[12:] for packet in known_packets(codec)]) if codec in ("h264", "hevc") else {}
    rig = Rig(video_track(codec, sets))
    rig.receiver.taker = FakeTaker()
    sender = Sender()
    for payload, stamp, marker, gap in packets:
        sender.sequence += max(0, gap - 17)
        rig.feed([sender.packet(payload, stamp, marker)], flush=False)
    check(rig)


@given(st.sampled_from(["h264", "hevc"]), st.data())
def test_any_order_with_losses_and_wrong_bytes(codec, data):
    packets = list(known_packets(codec))
    order = data.draw(st.lists(st.integers(0, len(packets) - 1), max_size=60))
    for number in data.draw(st.lists(st.integers(0, len(packets) - 1), max_size=5)):
        changed = bytearray(packets[number])
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
        packets[number] = bytes(changed)
    rig = Rig(video_track(codec))
    rig.receiver.taker = FakeTaker()
    rig.feed([packets[number] for number in order])
    check(rig)


@given(
    st.sampled_from(CODECS),
    st.dictionaries(st.sampled_from(["config", "sprop-sps", "width", "x-dimensions"]), st.text()),
)
def test_any_parameters_of_an_sdp(codec, parameters):
    names = {"sprop-parameter-sets": "Z0IAH", "sprop-max-don-diff": "x", "framesize": "-", "cliprect": "1"}
    rig = Rig(video_track(codec, {**names, **parameters}))
    check(rig)


def endless_fragments(sender: Sender):
    yield sender.packet(b"\x7c\x85\x88", 0)
    while True:
        yield sender.packet(b"\x7c\x05" + b"\xff" * 1400, 0)


def tiny_fragments(sender: Sender):
    yield sender.packet(b"\x7c\x85\xff", 0)
    while True:
        yield sender.packet(b"\x7c\x05\xff\xff", 0)


def tiny_units(sender: Sender):
    while True:
        yield sender.packet(b"\x78" + b"\0\1\x06" * 400, 0)


def tiny_sets(sender: Sender):
    yield sender.packet(b"\x68\xce\x3c\x80", 0)
    while True:
        yield sender.packet(b"\x78" + b"\0\4\x68\xce\x3c\x80" * 200, 0)


def endless_jpeg(sender: Sender):
    at = 0
    while True:
        yield sender.packet(b"\0" + at.to_bytes(3, "big") + b"\1\x32\x20\x20" + b"\xff" * 60_000, 0)
        at = at + 60_000 & 0xFFFFFF


def endless_mpeg4(sender: Sender):
    yield sender.packet(b"\0\0\1\xb6\x10", 0)
    while True:
        yield sender.packet(b"\x11\x11", 0)


@pytest.mark.parametrize(
    ("codec", "source", "packets"),
    [
        ("h264", endless_fragments, 3_000),
        ("h264", tiny_fragments, 60_000),
        ("h264", tiny_units, 130),
        ("h264", tiny_sets, 260),
        ("mjpeg", endless_jpeg, 60),
        ("mpeg4", endless_mpeg4, 60_000),
    ],
)
def test_a_unit_without_end_takes_bounded_memory_and_the_next_is_right(codec, source, packets, monkeypatch):
    assert nal_units.MAX_UNIT_BYTES == 16 * 1024 * 1024
    for module in (nal_units, h264, jpeg, mpeg4):
        monkeypatch.setattr(module, "MAX_UNIT_BYTES", 1024 * 1024)
    rig = Rig(video_track(codec))
    sender = Sender()
    endless = source(sender)
    tracemalloc.start()
    try:
        for number in range(packets):
            rig.receiver.receive(next(endless), number)
        assert tracemalloc.get_traced_memory()[1] < 2 * 1024 * 1024
    finally:
        tracemalloc.stop()
    if codec == "h264":
        pictures = split_pictures(codec, encode(codec, "-pix_fmt", "yuv420p", "-x264-params", "aud=1", frames=3))
        rig.feed(sender.pictures(codec, pictures, start=90_000))
        assert [unit.is_key for unit in rig.units] == [True, False, False]
        assert rig.receiver.damaged_units < 10
