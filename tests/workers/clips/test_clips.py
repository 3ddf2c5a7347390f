"""A clip contains every available frame of its range, in a file that any player accepts, and notes what is missing."""

import pytest

from gateway.captures.bookmarks import find_bookmark
from tests.conftest import wait_until
from tests.playback import NOON_MS, make_clip, start_of_one_file
from tests.workers.clips.conftest import now_ms
from tests.workers.exporting.movies import box_names, numbers_in, probe, track

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def test_pre_roll_comes_from_the_bus_and_post_roll_is_awaited_where_nothing_is_recorded(world, notes_of):
    clip = make_clip(seconds=8, first_frame=1000)
    # All of it is in the past, so that no time has to pass; the second half arrives while the clip is made.
    start = now_ms() - 8500
    world.start_stream()
    writer = world.writer()
    world.publish(writer, clip, start, last=9)
    bookmark = world.mark(start + 4000, before=2.5, after=2.2)
    world.begin(bookmark)
    early = wait_until(
        lambda: find_bookmark(world.scope, bookmark.id).poster_file, "the poster comes before the clip", 20
    )
    assert find_bookmark(world.scope, bookmark.id).clip_state == "pending"
    world.publish(writer, clip, start, first=9)
    wait_until(lambda: find_bookmark(world.scope, bookmark.id).clip_state == "ready", "the clip is ready", 20)
    made = find_bookmark(world.scope, bookmark.id)
    movie = world.movie_of(made)
    # From the key frame before the start to the part that reaches the end.
    assert numbers_in(movie) == list(range(1025, 1000 + 163))
    assert (made.clip_start_ms, made.clip_end_ms) == (start + 1000, start + 6520)
    assert (made.clip_seconds, made.clip_codec, notes_of(made)) == (pytest.approx(5.52, abs=0.02), "h264", [])
    assert float(probe(movie)["format"]["duration"]) == pytest.approx(5.52, abs=0.02)
    assert [name for name in box_names(movie) if name != "free"] == ["ftyp", "moov", "mdat"]
    assert made.poster_file == early
    assert world.poster_number(made) == 1100
    (fact,) = world.clip_facts
    assert fact[0] == world.device_id
    assert (fact[1].bookmark_id, fact[1].reason, fact[1].path) == (bookmark.id, None, str(movie))


@on_sqlite
def test_an_old_moment_comes_from_the_recording(world, notes_of):
    world.footage.record(make_clip(seconds=6, first_frame=100, audio=True), NOON_MS)
    made = world.run(world.mark(NOON_MS + 3430, before=1.2, after=1.3))
    movie = world.movie_of(made)
    assert numbers_in(movie) == list(range(150, 225))
    assert world.poster_number(made) == 185
    assert notes_of(made) == []
    assert float(track(movie, "audio")["duration"]) == pytest.approx(float(track(movie)["duration"]), abs=0.1)


@on_sqlite
def test_recorded_parts_and_parts_on_the_bus_become_one_clip(world, notes_of):
    clip = make_clip(seconds=8)
    start = now_ms() - 10_000
    world.footage.record(clip, start, run=1, without=range(8, 16))
    world.publish(world.writer(), clip, start, last=6)
    writer = world.writer()
    world.publish(writer, clip, start, first=6)
    made = world.run(world.mark(start + 4000, before=3, after=3))
    assert numbers_in(world.movie_of(made)) == list(range(25, 175))
    assert notes_of(made) == []
    assert world.poster_number(made) == 100


@on_sqlite
def test_h265_is_copied_with_the_codec_tag_that_safari_needs(world):
    world.footage.record(make_clip(seconds=4, codec="h265"), NOON_MS)
    made = world.run(world.mark(NOON_MS + 2000))
    video = track(world.movie_of(made))
    assert (video["codec_name"], video["codec_tag_string"], made.clip_codec) == ("hevc", "hvc1", "hevc")
    assert numbers_in(world.movie_of(made)) == list(range(25, 75))
    assert world.poster_number(made) == 50


@on_sqlite
def test_reordered_frames_keep_their_order(world):
    world.footage.record(make_clip(seconds=5, b_frames=2), NOON_MS)
    made = world.run(world.mark(NOON_MS + 2500))
    numbers = numbers_in(world.movie_of(made))
    assert numbers == list(range(25, numbers[-1] + 1))
    assert numbers[-1] >= 25 * 3.4
    assert made.clip_seconds == pytest.approx(len(numbers) / 25, abs=0.002)


@on_sqlite
def test_a_changed_picture_format_gives_one_movie_with_a_note(world, notes_of):
    world.footage.record(make_clip(seconds=2), NOON_MS)
    world.footage.record(make_clip(seconds=2, first_frame=50, size=(640, 360)), NOON_MS + 2000)
    made = world.run(world.mark(NOON_MS + 2000, before=2, after=2))
    assert numbers_in(world.movie_of(made)) == list(range(100))
    assert "changed its picture" in notes_of(made)[0]
    assert world.poster_number(made) == 50


@on_sqlite
def test_missing_footage_at_the_ends_is_noted(world, notes_of):
    start = now_ms() - 30_000
    world.publish(world.writer(), make_clip(seconds=4), start)
    made = world.run(world.mark(start + 1000, before=4, after=8))
    assert numbers_in(world.movie_of(made)) == list(range(100))
    late, early = notes_of(made)
    assert late.startswith("it begins 3.0 s later than requested")
    assert early.startswith("it ends 5.0 s earlier than requested")


@on_sqlite
def test_a_gap_in_the_middle_is_skipped_and_noted(world, notes_of):
    world.footage.record(make_clip(seconds=2), NOON_MS)
    world.footage.record(make_clip(seconds=2, first_frame=200), NOON_MS + 5000)
    made = world.run(world.mark(NOON_MS + 3000, before=3, after=4))
    assert numbers_in(world.movie_of(made)) == [*range(50), *range(200, 250)]
    assert notes_of(made) == ["no footage: 3.0 s, from 1.0 s before the moment on"]
    assert world.poster_number(made) == 49, "the picture nearest to a moment without one"


@on_sqlite
def test_a_stream_that_ends_during_the_post_roll_ends_the_wait(world, notes_of):
    start = now_ms() - 3000
    world.publish(world.writer(), make_clip(seconds=3), start)
    made = world.run(world.mark(now_ms(), before=2, after=300))
    assert numbers_in(world.movie_of(made)) == list(range(25 * round((made.clip_start_ms - start) / 1000), 75))
    assert "earlier than requested" in notes_of(made)[0]


@on_sqlite
def test_a_part_that_is_damaged_on_the_disk_is_left_out_and_noted(world, notes_of):
    (file,) = world.footage.record(make_clip(seconds=6), NOON_MS)
    with file.path.open("r+b") as opened:
        # In the third second: the fifth of the parts of half a second.
        opened.seek(file.values.init_size + sum(part.size for part in file.parts[:4]) + file.parts[4].size // 2)
        opened.write(b"\xff" * 400)
    made = world.run(world.mark(NOON_MS + 3500, before=3.5, after=2.5))
    assert numbers_in(world.movie_of(made)) == [*range(50), *range(75, 150)]
    assert notes_of(made)[0].startswith("damaged, left out")


@on_sqlite
def test_parts_that_are_damaged_on_the_disk_are_taken_from_the_bus(world, notes_of):
    clip = make_clip(seconds=6)
    start = start_of_one_file(now_ms() - 20_000, clip)
    (file,) = world.footage.record(clip, start, run=1)
    world.footage.truncate(file, file.values.init_size + 100)
    world.publish(world.writer(), clip, start)
    made = world.run(world.mark(start + 3000))
    assert numbers_in(world.movie_of(made)) == list(range(50, 100))
    assert notes_of(made) == []


@on_sqlite
def test_footage_deleted_before_the_clip_was_made_is_the_reason_and_leaves_no_file(world):
    bookmark = world.mark(NOON_MS + 2000)
    made = world.run(bookmark)
    assert (made.clip_state, made.clip_reason_code, made.clip_file) == ("failed", "no_footage", None)
    assert world.names() == []
    (fact,) = world.clip_facts
    assert (fact[1].reason, fact[1].path) == ("no_footage", "")


@on_sqlite
def test_unreadable_footage_is_the_reason(world):
    (file,) = world.footage.record(make_clip(seconds=4), NOON_MS)
    world.footage.truncate(file, file.values.init_size + 100)
    made = world.run(world.mark(NOON_MS + 2000))
    assert (made.clip_state, made.clip_reason_code) == ("failed", "footage_damaged")
    assert world.names() == []


@on_sqlite
def test_a_stream_that_restarts_in_the_middle_gives_one_clip(world, notes_of):
    start, writer = now_ms() - 20_000, world.writer()
    world.publish(writer, make_clip(seconds=2), start)
    world.publish(writer, make_clip(seconds=2, first_frame=200), start + 3000, run=2)
    made = world.run(world.mark(start + 2500, before=2, after=2))
    assert numbers_in(world.movie_of(made)) == [*range(50), *range(200, 238)]
    assert notes_of(made) == ["no footage: 1.0 s, from 0.5 s before the moment on"]
