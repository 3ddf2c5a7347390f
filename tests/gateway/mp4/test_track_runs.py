"""The reader of track fragments gives back what was written, and its callers agree, also on damaged parts."""

import random
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.mp4.boxes import InvalidMedia, box, find_box, full_box
from gateway.mp4.fragments import parse_tracks, summarize_samples
from gateway.mp4.samples import parse_init, parse_part
from gateway.mp4.track_runs import (
    BASE_IS_MOOF,
    COMPOSITION,
    DATA_OFFSET,
    DEFAULT_DURATION,
    DEFAULT_FLAGS,
    DEFAULT_SIZE,
    DURATION,
    FIRST_FLAGS,
    FLAGS,
    SIZE,
    read_decode_time,
    read_run,
    read_track_fragment,
)
from tests.playback import make_clip

COLUMNS = (DURATION, SIZE, FLAGS, COMPOSITION)
DEFAULTS = (DEFAULT_DURATION, DEFAULT_SIZE, DEFAULT_FLAGS)
U32S = st.integers(0, (1 << 32) - 1)
SIGNED = st.integers(-(1 << 31), (1 << 31) - 1)


@st.composite
def runs(draw) -> tuple[bytes, dict]:
    """A `trun` box and what is in it."""
    count = draw(st.integers(0, 20))
    columns = {
        field: draw(st.lists(SIGNED if field == COMPOSITION else U32S, min_size=count, max_size=count))
        for field in COLUMNS
        if draw(st.booleans())
    }
    data_offset, first_flags = draw(st.none() | SIGNED), draw(st.none() | U32S)
    flags, fields = sum(columns), b""
    if data_offset is not None:
        flags, fields = flags | DATA_OFFSET, fields + struct.pack(">i", data_offset)
    if first_flags is not None:
        flags, fields = flags | FIRST_FLAGS, fields + struct.pack(">I", first_flags)
    for index in range(count):
        for field, values in columns.items():
            fields += struct.pack(">i" if field == COMPOSITION else ">I", values[index])
    content = struct.pack(">I", count) + fields
    written = {"count": count, "data_offset": data_offset, "first_flags": first_flags, "columns": columns}
    return full_box(b"trun", draw(st.integers(0, 1)), flags, content), written


@given(runs(), st.binary(max_size=16), st.sampled_from([bytes, memoryview]))
def test_a_run_is_read_as_it_was_written(run_box, before, kind):
    data, written = run_box
    run = read_run(kind(before + data), len(before) + 8)
    assert (run.count, run.data_offset, run.first_flags) == (
        written["count"],
        written["data_offset"],
        written["first_flags"],
    )
    for field in COLUMNS:
        expected = written["columns"].get(field)
        assert run.column(field) == (None if expected is None else tuple(expected))
    assert run.is_within(run.count)
    assert run.count == 0 or not run.is_within(run.count - 1)


@given(runs(), st.data())
def test_a_run_that_is_cut_off_is_not_within_its_data_and_gives_no_column_beyond_it(run_box, data):
    whole, written = run_box
    cut = whole[: data.draw(st.integers(8, len(whole) - 1))]
    try:
        run = read_run(cut, 8)
    except struct.error:
        return
    assert not run.is_within(written["count"])
    for field, values in written["columns"].items():
        try:
            column = run.column(field)
        except struct.error:
            continue
        assert column == tuple(values)


@given(st.lists(st.none() | U32S, min_size=3, max_size=3), st.booleans(), st.booleans(), U32S)
def test_the_defaults_of_a_fragment_replace_those_of_its_track(values, has_base, has_description, track_id):
    flags = sum(field for field, value in zip(DEFAULTS, values, strict=True) if value is not None)
    fields = (bytes(8) if has_base else b"") + (b"\xff" * 4 if has_description else b"")
    fields += b"".join(struct.pack(">I", value) for value in values if value is not None)
    flags |= 0x1 * has_base | 0x2 * has_description | BASE_IS_MOOF
    data = full_box(b"tfhd", 0, flags, struct.pack(">I", track_id), fields)
    fragment = read_track_fragment(data, 0, len(data))
    assert fragment.track_id == track_id
    assert [fragment.default(field, -1) for field in DEFAULTS] == [-1 if value is None else value for value in values]


@pytest.mark.parametrize(("version", "time"), [(0, (1 << 32) - 1), (1, (1 << 64) - 1)])
def test_a_decoding_time_has_four_or_eight_bytes(version, time):
    data = full_box(b"tfdt", version, 0, struct.pack(">Q" if version else ">I", time))
    assert read_decode_time(data, 8) == time


def test_a_fragment_without_its_header_is_refused():
    data = box(b"tfdt", bytes(8))
    with pytest.raises(InvalidMedia, match="without 'tfhd'"):
        read_track_fragment(data, 0, len(data))


class Readers:
    """The callers of the reader, for the parts of one clip."""

    def __init__(self, clip) -> None:
        self.parts = [part.data for part in clip.parts]
        start, end = find_box(clip.init, 0, len(clip.init), b"moov")
        self.tracks = parse_tracks(clip.init[start - 8 : end])
        self.formats = parse_init(clip.init)

    def check_agreement(self, data: bytes) -> bool:
        """Whether both readers accept a part; asserts that they find the same samples in it then."""
        moof = data[: struct.unpack_from(">I", data)[0]]
        try:
            summaries = summarize_samples(moof, self.tracks)
            by_kind = {
                kind: [one for one in parse_part(data, self.formats) if one.track.kind == kind] for kind in summaries
            }
        except InvalidMedia:
            return False
        for kind, summary in summaries.items():
            samples = by_kind[kind]
            assert summary.frames == sum(map(len, samples))
            assert summary.duration == sum(sum(one.durations) for one in samples)
            if samples:
                offsets = {offset for one in samples for offset in one.offsets}
                assert summary.has_b_frames <= (len(offsets) > 1)
        return True


@pytest.fixture(scope="module", params=[{"audio": True}, {"b_frames": 2}, {"codec": "h265"}], ids=str)
def readers(request) -> Readers:
    return Readers(make_clip(seconds=2, **request.param))


def test_the_readers_agree_on_what_ffmpeg_writes(readers):
    assert all(readers.check_agreement(data) for data in readers.parts)


def damage(data: bytes, dice: random.Random) -> bytes:
    """A part with changed flags, a changed count or changed bytes in the boxes of its `moof`."""
    damaged, moof_end = bytearray(data), struct.unpack_from(">I", data)[0]
    places = [at for at in range(8, moof_end) if data[at : at + 4] in (b"tfhd", b"trun")]
    if dice.random() < 0.5:
        at = dice.choice(places)
        if data[at : at + 4] == b"trun":
            flags = DATA_OFFSET | dice.choice([0, FIRST_FLAGS]) | sum(field for field in COLUMNS if dice.random() < 0.5)
            count = dice.choice([0, 1, 5, 12, 13, 1000, 100_001, 1 << 31, (1 << 32) - 1])
            struct.pack_into(">2I", damaged, at + 4, flags, count)
        else:
            struct.pack_into(">I", damaged, at + 4, BASE_IS_MOOF | sum(one for one in DEFAULTS if dice.random() < 0.5))
    else:
        for _ in range(dice.randrange(1, 5)):
            damaged[dice.randrange(8, moof_end)] = dice.randrange(256)
    return bytes(damaged)


def test_the_readers_agree_on_damaged_parts_that_they_accept(readers):
    dice = random.Random(5)
    accepted = 0
    for _ in range(3000):
        data = damage(dice.choice(readers.parts), dice)
        accepted += readers.check_agreement(data)
    assert accepted > 100, "some damage leaves a readable part"
