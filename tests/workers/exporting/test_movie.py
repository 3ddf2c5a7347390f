"""A film's times never jump, whatever those of its runs do, and sound stays beside its picture."""

from datetime import UTC, datetime

import pytest

from gateway.mp4.movie_writer import Mp4Writer
from tests.gateway.mp4.memory import MemorySink, audio_format, make_samples, video_format
from workers.exporting.movie import Movie

BORN = datetime(2026, 3, 11, 12, tzinfo=UTC)


@pytest.fixture
def film() -> Movie:
    return Movie(Mp4Writer(MemorySink(), video_format(), audio_format(), index_bytes=8192, created=BORN))


def times(film: Movie, track: str = "video") -> list[int]:
    return list(getattr(film.writer, track)._times)


def video(start: int, *durations: int, timescale: int = 1000):
    return make_samples(video_format(timescale), start, list(durations))


def sound(start: int, *durations: int):
    return make_samples(audio_format(), start, list(durations))


def test_a_film_begins_at_zero_whenever_its_run_did(film):
    film.add_video(video(7_000_000, 40, 40))
    film.add_video(video(7_000_080, 40))
    assert times(film) == [0, 40, 80]


def test_another_run_goes_on_where_the_last_ended(film):
    film.add_video(video(5000, 40, 40))
    film.begin()
    film.add_video(video(900, 40, 40))
    assert times(film) == [0, 40, 80, 120]


def test_a_jump_of_the_cameras_clock_is_no_hole_and_a_short_pause_stays(film):
    film.add_video(video(0, 40, 40))
    film.add_video(video(500_000, 40))  # forward by minutes
    film.add_video(video(300_000, 40))  # and back
    film.add_video(video(300_440, 40))  # a pause of 0.4 s
    assert times(film) == [0, 40, 80, 120, 560]


def test_frames_that_last_for_days_last_as_long_as_the_others(film):
    film.add_video(video(0, 40, 500_000_000, 40))
    assert times(film) == [0, 40, 80]


def test_another_timescale_is_the_same_time(film):
    film.add_video(video(90_000, 3600, 3600, timescale=90_000))
    assert times(film) == [0, 40]
    assert film.writer.video.end == 80


def test_times_always_grow(film):
    film.add_video(video(0, 40, 0, 40))
    film.add_video(video(80, 40))
    found = times(film)
    assert found == sorted(found)


def test_sound_stands_beside_its_picture_in_every_run(film):
    film.add_video(video(1000, 1000))
    film.add_audio(sound(8000 + 400, 1024))
    film.begin()
    film.add_video(video(70_000, 1000))
    film.add_audio(sound(70 * 8000 + 800, 1024))
    assert times(film, "audio") == [400, 8800]


def test_sound_of_before_the_cut_and_sound_that_overlaps_is_left_out(film):
    film.add_video(video(1000, 1000))
    film.add_audio(sound(8000 - 2048, 1024, 1024, 1024, 1024))
    assert times(film, "audio") == [0, 1024]
    film.begin()
    film.add_video(video(5000, 1000))
    film.add_audio(sound(40_000 - 3000, 1024, 1024, 1024, 1024))
    found = times(film, "audio")
    assert found[:2] == [0, 1024]
    assert found[2] >= 8000 - 512
    assert found == sorted(set(found))


def test_sound_before_any_picture_is_left_out(film):
    film.add_audio(sound(0, 1024))
    assert times(film, "audio") == []
