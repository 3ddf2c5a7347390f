"""The check of a store finds each kind of mismatch of rows and files, and nothing in a consistent store."""

import io
from dataclasses import dataclass, field, replace
from pathlib import Path

import av
import numpy
import pytest

from gateway.media import PartFact, pack_parts

from .boxes import scan_file
from .store import CLOSED, FIFTEEN_MINUTES_MS, MISSING, OPEN, GapRow, SegmentRow, Store, find_problems

START = 1_900 * FIFTEEN_MINUTES_MS + 61_000


def build_file(seconds: int) -> bytes:
    """A part for each second, 5 frames in it."""
    content = io.BytesIO()
    with av.open(
        content, "w", format="mp4", options={"movflags": "frag_keyframe+empty_moov+skip_trailer"}
    ) as container:
        stream = container.add_stream("libx264", rate=5, options={"preset": "ultrafast", "g": "5"})
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        for number in range(seconds * 5):
            picture = numpy.full((96, 64), number * 3 % 256, numpy.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="yuv420p")))
        container.mux(stream.encode(None))
    return content.getvalue()


@dataclass
class FakeStore(Store):
    """A store whose rows are in memory."""

    root: Path
    rows: list[SegmentRow] = field(default_factory=list)
    gap_rows: list[GapRow] = field(default_factory=list)
    expired_before_ms: int = 0
    extra_rollup: dict = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder = self.root / "tenant/device"

    def add(self, start_ms: int, *, run: int = 1, sequence: int = 1, state: int = CLOSED) -> SegmentRow:
        data = build_file(3)
        scanned = scan_file(data)
        packed = pack_parts(
            PartFact(part.size, number * 1000, 1000, part.frames, True, part.has_audio)
            for number, part in enumerate(scanned.parts)
        )
        row = SegmentRow(
            len(self.rows) + 1,
            start_ms,
            3000,
            run,
            sequence,
            3,
            15,
            len(data),
            scanned.init_size,
            state,
            packed,
        )
        path = self.path(row)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        self.rows.append(row)
        return row

    def change(self, place: int, **values) -> None:
        self.rows[place] = replace(self.rows[place], **values)

    def segments(self):
        return self.rows

    def gaps(self):
        return self.gap_rows

    def rollup(self):
        closed = [row for row in self.rows if row.state == CLOSED]
        whole = {START // FIFTEEN_MINUTES_MS: (3000 * len(closed), sum(row.size for row in closed), len(closed))}
        return whole | self.extra_rollup


@pytest.fixture
def store(tmp_path) -> FakeStore:
    """Two segments of a run, a named gap, one of the next run that is open."""
    store = FakeStore(tmp_path)
    store.add(START)
    store.add(START + 3000, sequence=4)
    store.gap_rows.append(GapRow(START + 6000, START + 10_000, "stalled", None, True))
    store.add(START + 10_000, run=2, state=OPEN)
    return store


def test_a_file_is_scanned_part_by_part():
    data = build_file(3)
    scanned = scan_file(data)
    assert [part.frames for part in scanned.parts] == [5, 5, 5]
    assert scanned.init_size + sum(part.size for part in scanned.parts) == len(data)
    assert scanned.rest == 0
    assert {scanned.init_size, len(data)} <= set(scanned.edges)
    cut = scan_file(data[:-1])
    assert len(cut.parts) == 2
    assert cut.rest == scanned.parts[2].size - 1


def test_a_good_store_has_no_problems(store):
    assert find_problems(store) == []


def test_an_open_file_may_be_longer_than_its_row(store):
    with store.path(store.rows[2]).open("ab") as file:
        file.write(b"the beginning of a part")
    assert find_problems(store) == []


def cut_file(store):
    path = store.path(store.rows[0])
    path.write_bytes(path.read_bytes()[:-5])


HARMS = {
    "has no row": lambda s: (s.folder / "00-00-000_9-9.mp4").write_bytes(b""),
    "has no file": lambda s: s.path(s.rows[1]).unlink(),
    "bytes by its row": cut_file,
    "is marked as missing": lambda s: s.change(1, state=MISSING),
    "index has 2 parts": lambda s: s.change(0, packed=s.rows[0].packed[:-14]),
    "counts 3 parts": lambda s: s.change(0, frames=14),
    "lasts 2000 ms": lambda s: s.change(0, duration_ms=2000),
    "init segment of": lambda s: s.change(0, init_size=7),
    "is open and not the newest": lambda s: s.change(0, state=OPEN),
    "the rollup is": lambda s: s.extra_rollup.update({1: (1, 1, 1)}),
    "overlap by 500 ms": lambda s: (s.rows.pop(), s.add(START + 5500, run=2)),
    "are in segment": lambda s: s.change(1, sequence=3),
    "ms apart": lambda s: (s.rows.pop(), s.rows.pop(), s.add(START + 3100, sequence=4)),
    "of the hole": lambda s: s.gap_rows.clear(),
    "ms of footage": lambda s: s.gap_rows.append(GapRow(START + 10_000, START + 12_000, "stalled", None, True)),
    "is empty": lambda s: s.gap_rows.append(GapRow(START + 13_000, START + 13_000, "stalled", None, True)),
    "the gaps": lambda s: s.gap_rows.append(GapRow(START + 9000, START + 9500, "stalled", None, True)),
}


@pytest.mark.parametrize("words", HARMS)
def test_each_disagreement_is_found(store, words):
    HARMS[words](store)
    found = find_problems(store)
    assert any(words in problem for problem in found), found


def test_expired_footage_needs_no_gap(store):
    store.gap_rows.clear()
    store.expired_before_ms = START + 9900
    assert find_problems(store) == []


def test_an_open_segment_without_a_recorder_is_a_problem(store):
    assert any("is open" in problem for problem in find_problems(store, is_recording=False))
