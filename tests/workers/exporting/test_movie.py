"""The times of a movie never jump, whatever its runs do, and audio stays in sync with the video."""

from datetime import UTC, datetime

import pytest

from gateway.mp4.movie_writer import Mp4Writer
from tests.gateway.mp4.memory import MemorySink, audio_format, make_samples, video_format
from workers.exporting.movie import Movie

BORN = datetime(2026, 3, 11, 12, tzinfo=UTC)


@pytest.fixture
def movie() -> Movie:
    return Movie(Mp4Writer(MemorySink(), video_format(), audio_format(), index_bytes=8192, created=BORN))


def times(movie: Movie, track: str = "video") -> list[int]:
    return list(getattr(movie.writer, track)._times)


def video(start: int, *durations: int, timescale: int = 1000):
    return make_samples(video_format(timescale), start, list(durations))


def sound(start: int, *durations: int):
    return make_samples(audio_format(), start, list(durations))


def test_a_movie_begins_at_zero_whatever_the_times_of_its_run(movie):
    movie.add_video(video(7_000_000, 40, 40))
    movie.add_video(video(7_000_080, 40))
    assert times(movie) == [0, 40, 80]


def test_another_run_continues_at_the_end_of_the_last(movie):
    movie.add_video(video(5000, 40, 40))
    movie.begin()
    movie.add_video(video(900, 40, 40))
    assert times(movie) == [0, 40, 80, 120]


def test_a_jump_of_the_cameras_clock_is_removed_and_a_short_pause_is_kept(movie):
    movie.add_video(video(0, 40, 40))
    movie.add_video(video(500_000, 40))  # forward by minutes
    movie.add_video(video(300_000, 40))  # and back
    movie.add_video(video(300_440, 40))  # a pause of 0.4 s
    assert times(movie) == [0, 40, 80, 120, 560]


def test_implausible_durations_are_replaced_by_the_median(movie):
    movie.add_video(video(0, 40, 500_000_000, 40))
    assert times(movie) == [0, 40, 80]


def test_times_are_converted_from_another_timescale(movie):
    movie.add_video(video(90_000, 3600, 3600, timescale=90_000))
    assert times(movie) == [0, 40]
    assert movie.writer.video.end == 80


def test_times_always_increase(movie):
    movie.add_video(video(0, 40, 0, 40))
    movie.add_video(video(80, 40))
    found = times(movie)
    assert found == sorted(found)


def test_audio_is_in_sync_with_the_video_of_every_run(movie):
    movie.add_video(video(1000, 1000))
    movie.add_audio(sound(8000 + 400, 1024))
    movie.begin()
    movie.add_video(video(70_000, 1000))
    movie.add_audio(sound(70 * 8000 + 800, 1024))
    assert times(movie, "audio") == [400, 8800]


def test_audio_before_the_cut_and_overlapping_audio_is_left_out(movie):
    movie.add_video(video(1000, 1000))
    movie.add_audio(sound(8000 - 2048, 1024, 1024, 1024, 1024))
    assert times(movie, "audio") == [0, 1024]
    movie.begin()
    movie.add_video(video(5000, 1000))
    movie.add_audio(sound(40_000 - 3000, 1024, 1024, 1024, 1024))
    found = times(movie, "audio")
    assert found[:2] == [0, 1024]
    assert found[2] >= 8000 - 512
    assert found == sorted(set(found))


def test_audio_before_any_video_is_left_out(movie):
    movie.add_audio(sound(0, 1024))
    assert times(movie, "audio") == []
