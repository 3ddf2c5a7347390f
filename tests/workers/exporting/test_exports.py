"""An export contains each frame of its range once, in a file that any player accepts."""

import json
from itertools import pairwise

import pytest

from tests.playback import NOON_MS, make_clip
from tests.workers.exporting.movies import box_names, frame_times, numbers_in, probe, track

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def facts(job):
    return json.loads(job.result)


def test_a_cut_at_key_frames_contains_every_group_of_pictures_that_touches_the_range(footage, exporter, movie_of):
    clip = make_clip(seconds=6, first_frame=100)
    footage.record(clip, NOON_MS)
    job = exporter.export(NOON_MS + 1400, NOON_MS + 3500)
    assert numbers_in(movie_of(job)) == list(range(125, 200))
    assert facts(job)["start_ms"] == NOON_MS + 1000
    assert facts(job)["end_ms"] == NOON_MS + 4000
    assert facts(job)["notes"] == []


@on_sqlite
def test_the_index_is_in_front_and_times_are_those_of_the_footage(footage, exporter, movie_of):
    footage.record(make_clip(seconds=4), NOON_MS)
    job = exporter.export(NOON_MS, NOON_MS + 4000)
    movie = movie_of(job)
    assert [name for name in box_names(movie) if name != "free"] == ["ftyp", "moov", "mdat"]
    assert frame_times(movie) == pytest.approx([number / 25 for number in range(100)], abs=0.002)
    assert float(probe(movie)["format"]["duration"]) == pytest.approx(4.0, abs=0.05)
    assert facts(job)["duration_seconds"] == pytest.approx(4.0, abs=0.01)
    assert facts(job)["size"] == movie.stat().st_size
    assert numbers_in(movie) == list(range(100))


@on_sqlite
def test_files_of_several_minutes_are_one_movie(footage, exporter, movie_of):
    footage.record(make_clip(seconds=8), NOON_MS + 56_000)
    job = exporter.export(NOON_MS + 57_000, NOON_MS + 63_000)
    assert numbers_in(movie_of(job)) == list(range(25, 175))


def test_an_exact_cut_contains_exactly_the_frames_of_the_range(footage, exporter, movie_of):
    footage.record(make_clip(seconds=6, first_frame=100), NOON_MS)
    job = exporter.export(NOON_MS + 1400, NOON_MS + 3520, "exact")
    movie = movie_of(job)
    assert numbers_in(movie) == list(range(135, 188))
    assert (facts(job)["start_ms"], facts(job)["end_ms"]) == (NOON_MS + 1400, NOON_MS + 3520)
    assert facts(job)["notes"] == []
    assert frame_times(movie) == pytest.approx([number / 25 for number in range(53)], abs=0.002)


@pytest.mark.parametrize(
    ("start_ms", "end_ms", "numbers"),
    [
        (1000, 2000, range(25, 50)),  # from one key frame to the next: nothing is encoded
        (1040, 1960, range(26, 49)),  # inside one group of pictures
        (0, 6000, range(150)),
        (1390, 1410, range(35, 36)),  # one frame
        (5960, 9000, range(149, 150)),  # the last one
    ],
    ids=str,
)
@on_sqlite
def test_an_exact_cut_may_be_anywhere(footage, exporter, movie_of, start_ms, end_ms, numbers):
    footage.record(make_clip(seconds=6), NOON_MS)
    job = exporter.export(NOON_MS + start_ms, NOON_MS + end_ms, "exact")
    assert numbers_in(movie_of(job)) == list(numbers)


@pytest.mark.parametrize("b_frames", [0, 2], ids=["copied", "encoded"])
@on_sqlite
def test_audio_stays_in_sync_with_the_video(footage, exporter, movie_of, b_frames):
    footage.record(make_clip(seconds=6, audio=True, b_frames=b_frames), NOON_MS)
    for cut in ("key_frames", "exact"):
        movie = movie_of(exporter.export(NOON_MS + 1500, NOON_MS + 4500, cut))
        video, audio = track(movie), track(movie, "audio")
        # With frames in decoding order, the audio of a frame may be in the previous part.
        assert float(audio["duration"]) == pytest.approx(float(video["duration"]), abs=0.1 if b_frames else 0.06)
        assert float(audio["start_time"]) == pytest.approx(0, abs=0.03)


@on_sqlite
def test_audio_that_starts_later_starts_later(footage, exporter, movie_of):
    footage.record(make_clip(seconds=6, audio=True, audio_from=2.5), NOON_MS)
    movie = movie_of(exporter.export(NOON_MS + 1000, NOON_MS + 6000))
    assert numbers_in(movie) == list(range(25, 150))
    assert float(track(movie, "audio")["start_time"]) == pytest.approx(1.5, abs=0.05)


@pytest.mark.parametrize("cut", ["key_frames", "exact"])
@on_sqlite
def test_a_gap_is_skipped_and_noted(footage, exporter, movie_of, cut):
    clip = make_clip(seconds=4, audio=True)
    footage.record(clip, NOON_MS)
    footage.add_gap(NOON_MS + 4000, NOON_MS + 34_000, "unreachable")
    footage.record(make_clip(seconds=4, first_frame=100, audio=True), NOON_MS + 34_000)
    job = exporter.export(NOON_MS + 1021, NOON_MS + 37_010, cut)
    movie = movie_of(job)
    assert numbers_in(movie) == [*range(25, 100), *range(100, 175)]
    assert facts(job)["duration_seconds"] == pytest.approx(6, abs=0.05)
    assert facts(job)["notes"] == [
        "no footage: 2026-03-11T12:00:04Z to 2026-03-11T12:00:34Z (30.0 s) (there is no network route to the camera)"
    ]
    times = frame_times(movie)
    assert max(later - earlier for earlier, later in pairwise(times)) < 0.1
    assert float(track(movie, "audio")["duration"]) == pytest.approx(6, abs=0.15)


@on_sqlite
def test_a_lost_part_loses_the_frames_that_depend_on_it(footage, exporter, movie_of):
    footage.record(make_clip(seconds=4), NOON_MS, without=range(3, 4))
    job = exporter.export(NOON_MS, NOON_MS + 4000)
    assert numbers_in(movie_of(job)) == [*range(38), *range(50, 100)]
    assert len(facts(job)["notes"]) == 1


@on_sqlite
def test_reordered_frames_are_copied_but_re_encoded_for_an_exact_cut(footage, exporter, movie_of):
    footage.record(make_clip(seconds=6, b_frames=2), NOON_MS)
    copied = exporter.export(NOON_MS + 1000, NOON_MS + 4000)
    assert numbers_in(movie_of(copied)) == list(range(25, 100))
    assert frame_times(movie_of(copied))[0] == 0
    exact = exporter.export(NOON_MS + 1400, NOON_MS + 3520, "exact")
    assert numbers_in(movie_of(exact)) == list(range(35, 88))
    assert facts(exact)["notes"] == ["the camera does not send frames in presentation order: all of it was re-encoded"]


@on_sqlite
def test_h265_is_copied_with_the_codec_tag_that_players_know(footage, exporter, movie_of):
    footage.record(make_clip(seconds=4, codec="h265"), NOON_MS)
    movie = movie_of(exporter.export(NOON_MS, NOON_MS + 3000))
    assert (track(movie)["codec_name"], track(movie)["codec_tag_string"]) == ("hevc", "hvc1")
    assert numbers_in(movie) == list(range(75))


@on_sqlite
def test_an_exact_cut_of_h265_is_h264(footage, exporter, movie_of):
    footage.record(make_clip(seconds=4, codec="h265"), NOON_MS)
    job = exporter.export(NOON_MS + 400, NOON_MS + 2400, "exact")
    assert numbers_in(movie_of(job)) == list(range(10, 60))
    assert track(movie_of(job))["codec_name"] == "h264"
    assert "H.265" in facts(job)["notes"][0]


@pytest.mark.parametrize("cut", ["key_frames", "exact"])
@on_sqlite
def test_footage_of_two_resolutions_is_re_encoded_at_the_larger(footage, exporter, movie_of, cut):
    footage.record(make_clip(seconds=2), NOON_MS)
    footage.record(make_clip(seconds=2, first_frame=50, size=(768, 432)), NOON_MS + 2000)
    footage.record(make_clip(seconds=2, first_frame=100), NOON_MS + 4000)
    job = exporter.export(NOON_MS + 400, NOON_MS + 5000, cut)
    movie = movie_of(job)
    assert numbers_in(movie) == list(range(10 if cut == "exact" else 0, 125))
    assert (track(movie)["width"], track(movie)["height"]) == (768, 432)
    assert facts(job)["notes"] == [
        "the camera changed its picture (768x432, 384x216): all of it was re-encoded at 768x432"
    ]


def overwrite(path, at, data):
    with open(path, "r+b") as file:
        file.seek(at)
        file.write(data)


@pytest.mark.parametrize("what", ["box", "picture", "cut off", "gone", "empty"])
@on_sqlite
def test_a_damaged_file_in_the_middle_loses_only_damaged_footage_and_is_noted(footage, exporter, movie_of, what):
    _, middle = footage.record(make_clip(seconds=12), NOON_MS - 4000)
    footage.record(make_clip(seconds=4, first_frame=300), NOON_MS + 8000)
    places = [middle.values.init_size + sum(part.size for part in middle.parts[:count]) for count in (4, 5)]
    if what == "box":
        overwrite(middle.path, places[0] + 30, b"\xff" * 40)
    elif what == "picture":
        overwrite(middle.path, (places[0] + places[1]) // 2, bytes((places[1] - places[0]) // 2))
    elif what == "cut off":
        footage.truncate(middle, places[0] + 100)
    elif what == "empty":
        footage.truncate(middle, 0)
    else:
        middle.path.unlink()
    job = exporter.export(NOON_MS - 4000, NOON_MS + 12_000)
    found = numbers_in(movie_of(job))
    lost = {"box": range(150, 175), "picture": range(150, 175), "cut off": range(150, 300)}.get(what, range(100, 300))
    assert found == [number for number in range(400) if number not in lost]
    assert [note for note in facts(job)["notes"] if note.startswith("damaged")]


@on_sqlite
def test_unreadable_footage_fails_with_a_reason(footage, exporter):
    (file,) = footage.record(make_clip(seconds=4), NOON_MS)
    file.path.write_bytes(b"\0" * file.values.size)
    job = exporter.export(NOON_MS, NOON_MS + 4000)
    assert (job.state, job.error_code) == ("failed", "footage_damaged")


@on_sqlite
def test_an_open_file_is_exported_up_to_its_indexed_end(footage, exporter, movie_of):
    footage.record(make_clip(seconds=4), NOON_MS, is_open=True)
    assert numbers_in(movie_of(exporter.export(NOON_MS + 1000, NOON_MS + 60_000))) == list(range(25, 100))
