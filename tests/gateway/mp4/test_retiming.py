"""The first sample of a fragment is moved, and nothing else."""

import struct

import pytest

from gateway.mp4.boxes import InvalidMedia, box, full_box
from gateway.mp4.fragments import VIDEO, Track
from gateway.mp4.retiming import move_first_sample, read_presentation

TRACK = Track(1, VIDEO, "avc1", 90_000, frozenset(), 4, 0, 0, 0)
MDAT = box(b"mdat", b"pictures")


def fragment(start: int, samples: list[tuple[int, int]], *, track_id: int = 1, default: int | None = None) -> bytes:
    """`samples` are duration and composition offset; with `default` durations are not in the table."""
    flags = 0x800 if default is not None else 0x900
    rows = [(offset,) if default is not None else (duration, offset) for duration, offset in samples]
    table = b"".join(struct.pack(f">{len(row)}i", *row) for row in rows)
    header = struct.pack(">I", track_id) + (struct.pack(">I", default) if default is not None else b"")
    track = box(
        b"traf",
        full_box(b"tfhd", 0, 0x8 if default is not None else 0, header),
        full_box(b"tfdt", 1, 0, struct.pack(">Q", start)),
        full_box(b"trun", 1, flags, struct.pack(">I", len(samples)), table),
    )
    return box(b"moof", full_box(b"mfhd", 0, 0, b"\0\0\0\1"), track) + MDAT


def times(data: bytes) -> list[int]:
    return read_presentation(data[: -len(MDAT)], TRACK)


def test_presentation_times_follow_durations_and_offsets():
    assert times(fragment(1000, [(10, 0), (20, 5), (30, -5)])) == [1000, 1015, 1025]


@pytest.mark.parametrize("ticks", [500, -500])
def test_the_first_sample_is_moved_and_the_others_are_not(ticks: int):
    moved = move_first_sample(fragment(1000, [(600, 7), (20, 5), (30, -5)]), TRACK, ticks)
    assert times(moved) == [1007 + ticks, 1605, 1615]
    assert moved.endswith(MDAT)


def test_a_single_sample_keeps_its_end_by_the_default_of_its_fragment():
    moved = move_first_sample(fragment(1000, [(0, 0)], default=900), TRACK, 500)
    assert moved == fragment(1500, [(0, 0)], default=400)


@pytest.mark.parametrize(
    "data",
    [
        fragment(1000, [(100, 0), (20, 0)]),
        fragment(1000, [(0, 0), (0, 0)], default=900),
        fragment(1000, []),
    ],
    ids=["no room", "one duration for all", "no samples"],
)
def test_what_cannot_be_moved_stays(data: bytes):
    assert move_first_sample(data, TRACK, 500) is data


def test_damage_is_named():
    with pytest.raises(InvalidMedia, match="without the track"):
        move_first_sample(fragment(1000, [(10, 0)], track_id=9), TRACK, 1)
    with pytest.raises(InvalidMedia):
        move_first_sample(fragment(1000, [(10, 0), (10, 0)])[:-30], TRACK, 1)
