"""Where footage lies, for timelines and lists: by the quarter of an hour, and by the segment."""

import pytest

from gateway import database
from gateway.footage.copies import Place, set_archived, set_place
from gateway.footage.places import PlaceRange, Where, place_of, read_places
from gateway.footage.segments import read_segments, select_segments
from gateway.storage.limits import Limits
from gateway.storage.retention_preview import expiring_footage
from gateway.tenancy.scopes import FootageScope
from tests.gateway.rows import DAY, HOUR, MINUTE, SIZE, make_rows

pytestmark = pytest.mark.usefixtures("bound_database")

START = 20_000 * DAY
QUARTER = 15 * MINUTE


@pytest.fixture
def rows(scope, box):
    """An hour of footage: a quarter only in the archive, one also there, and the last two not yet."""
    made = make_rows(scope, box)
    made.record(START, 60)
    with database.transaction():
        segments = read_segments(select_segments(made.id))
        footage = FootageScope(made.id)
        set_archived(footage, [one for one in segments if one.start_ms < START + 2 * QUARTER])
        segments = read_segments(select_segments(made.id))
        set_place(footage, [one for one in segments if one.start_ms < START + QUARTER], Place.GONE)
    return made


def test_ranges_are_joined_where_the_place_is_the_same(rows):
    assert read_places(rows.recording(), START, START + HOUR, 1000) == [
        PlaceRange(START, START + QUARTER, Where.ARCHIVE),
        PlaceRange(START + QUARTER, START + 2 * QUARTER, Where.BOTH),
        PlaceRange(START + 2 * QUARTER, START + HOUR, Where.LOCAL),
    ]
    assert read_places(rows.change(archived_by="a"), START + 40 * MINUTE, START + DAY, HOUR) == [
        PlaceRange(START + 40 * MINUTE, START + HOUR, Where.WAITING)
    ]


def test_a_recording_without_an_archive_has_no_places(rows):
    assert read_places(rows.recording(), START + 2 * QUARTER, START + HOUR, 1000) == []


def test_each_segment_has_its_place(rows):
    with database.session():
        segments = read_segments(select_segments(rows.id).order_by(select_segments(rows.id).model.start_ms))
    recording = rows.recording()
    assert [place_of(segments[n], recording) for n in (0, 20, 50)] == [Where.ARCHIVE, Where.BOTH, Where.LOCAL]
    assert place_of(segments[50], rows.change(archived_by="a")) is Where.WAITING


def test_a_preview_tells_what_is_lost_what_stays_in_the_archive_and_what_waits(rows):
    now, quarter = START + 10 * DAY, 15 * SIZE
    found = expiring_footage(rows.recording(), Limits(DAY, None), now)
    assert (found.bytes, found.archived_bytes, found.waiting_bytes) == (2 * quarter, quarter, 0)
    waiting = expiring_footage(rows.change(archived_by="a"), Limits(DAY, None), now)
    assert (waiting.bytes, waiting.archived_bytes, waiting.waiting_bytes) == (0, quarter, 2 * quarter)
    both = expiring_footage(rows.recording(), Limits(DAY, None, 5 * DAY), now)
    assert (both.bytes, both.seconds, both.oldest_ms) == (quarter, 900, START)
    by_size = expiring_footage(rows.recording(), Limits(None, quarter), now)
    assert (by_size.archived_bytes, by_size.waiting_bytes) == (quarter, quarter)
