"""HLS playlists of recorded footage: starts of segments, continuity, and sums of durations."""

import pytest

from gateway.media import PartFact, pack_parts
from gateway.playback.playlist import IndexedFile, build_playlist, choose_length_ms
from tests.hls_reading import read_playlist
from tests.hls_validator import check_playlist

START = 1_750_075_200_000
MINUTE = 60_000
INIT = 900


def parts(count=120, *, part_ms=500, gop=4, silent=(), size=1000, first_is_key=True):
    """Parts of a file: a key part every `gop` parts."""
    return [
        PartFact(
            size + number,
            number * part_ms,
            part_ms,
            12,
            number % gop == 0 and (number > 0 or first_is_key),
            number not in silent,
        )
        for number in range(count)
    ]


def file(number, facts=None, *, start=None, run=1, sequence=None, is_open=False):
    """The `number`-th minute of a run, unless specified otherwise."""
    facts = parts() if facts is None else facts
    return IndexedFile(
        id=number + 1,
        start_ms=START + number * MINUTE if start is None else start,
        run=run,
        sequence=1 + number * 120 if sequence is None else sequence,
        init_size=INIT,
        is_open=is_open,
        packed=pack_parts(facts),
    )


def read(text):
    assert text is not None
    assert check_playlist(text) == []
    playlist, problems = read_playlist(text)
    assert problems == []
    return playlist


def build(files, start=0, end=24 * 3600, **options):
    """The parsed playlist of a range in seconds after START."""
    return read(build_playlist(files, START + round(start * 1000), START + round(end * 1000), **options))


def test_segments_are_groups_of_parts_that_begin_at_key_parts_and_are_contiguous_in_the_file():
    playlist = build([file(0)], 0, 60)
    assert [segment.duration for segment in playlist.segments] == [4.0] * 15
    offset = INIT
    for number, segment in enumerate(playlist.segments):
        size = sum(1000 + part for part in range(number * 8, number * 8 + 8))
        assert segment.byte_range == (size, offset)
        offset += size
    assert playlist.is_ended
    assert (playlist.kind, playlist.version, playlist.target) == ("VOD", 6, 4)


@pytest.mark.parametrize(
    ("gop_seconds", "expected"), [(0.5, 3.5), (1, 4.0), (2, 4.0), (3, 6.0), (4, 4.0), (5, 5.0), (10, 10.0)]
)
def test_a_segment_is_four_seconds_or_as_long_as_the_key_frames_are_apart(gop_seconds, expected):
    playlist = build([file(0, parts(gop=int(gop_seconds * 2)))], 0, 60)
    assert playlist.segments[0].duration == expected
    assert playlist.target == round(expected)


def test_a_playlist_begins_with_the_key_part_at_or_before_the_start():
    for start, expected in ((0, 0), (1.999, 0), (2, 2), (7.5, 6), (60.2, 60)):
        playlist = build([file(0), file(1)], start, 120)
        assert playlist.segments[0].time == START / 1000 + expected
        assert (playlist.start or 0) == pytest.approx(start - expected)


def test_a_start_in_a_gap_begins_with_the_footage_after_it():
    playlist = build([file(0), file(5, sequence=1000)], 90, 600)
    assert playlist.segments[0].time == START / 1000 + 300
    assert playlist.start is None


def test_a_playlist_ends_before_the_key_part_at_or_after_the_end():
    for end, expected in ((8, 8), (8.1, 10), (9.9, 10), (30, 30)):
        assert build([file(0)], 0, end).duration == expected
    second = build([file(0), file(1)], 10, 60)
    assert second.segments[0].time == START / 1000 + 10


def test_footage_of_one_run_continues_across_files_without_a_discontinuity():
    playlist = build([file(0), file(1), file(2)], 0, 180)
    assert not any(segment.is_discontinuity for segment in playlist.segments)
    assert {segment.map for segment in playlist.segments} == {("segments/1.mp4", (INIT, 0))}


@pytest.mark.parametrize(
    ("second", "why"),
    [
        (file(1, run=2, sequence=1), "another run"),
        (file(1, sequence=122), "a lost part"),
        (file(1, sequence=121, run=2), "another run whose numbers would fit"),
    ],
)
def test_a_change_of_run_or_a_gap_in_the_sequence_is_a_discontinuity(second, why):
    playlist = build([file(0), second], 0, 120)
    assert [s.number for s in playlist.segments if s.is_discontinuity] == [15], why
    after = playlist.segments[15]
    assert after.map == ("segments/2.mp4", (INIT, 0))
    assert after.time == START / 1000 + 60


def test_a_gap_of_the_clock_alone_is_no_discontinuity():
    """The clock drifts and rounding adds up: run and sequence number decide."""
    playlist = build([file(0), file(1, start=START + MINUTE + 240)], 0, 120)
    assert not any(segment.is_discontinuity for segment in playlist.segments)


def test_a_clock_that_was_set_is_a_discontinuity_with_its_time():
    playlist = build([file(0), file(1, start=START + 2 * MINUTE)], 0, 240)
    after = playlist.segments[15]
    assert (after.is_discontinuity, after.time) == (True, START / 1000 + 120)
    assert playlist.segments[14].duration == 4.0


def test_durations_add_up_to_the_wall_clock_whatever_is_rounded():
    # 29.97 fps: parts of 500.5 ms, each rounded on its own.
    def facts(number):
        first = number * 120
        starts = [round((first + part) * 500.5) for part in range(121)]
        return [
            PartFact(10, starts[part] - starts[0], round(500.5), 15, part % 4 == 0, True) for part in range(120)
        ], starts[0]

    files = []
    for number in range(120):
        of_file, start = facts(number)
        files.append(file(number, of_file, start=START + start))
    playlist = build(files, 0, 7300)
    assert playlist.duration == pytest.approx(120 * 120 * 0.5005, abs=0.002)


def test_times_are_given_at_the_start_and_after_each_discontinuity():
    files = [file(0), file(1), file(2, run=2, sequence=1), file(3, run=2)]
    text = build_playlist(files, START, START + 4 * MINUTE)
    assert text.count("#EXT-X-PROGRAM-DATE-TIME:") == 1 + text.count("#EXT-X-DISCONTINUITY") == 3
    assert "#EXT-X-PROGRAM-DATE-TIME:2025-06-16T12:00:00.000Z" in text


def test_parts_that_cannot_be_decoded_are_skipped():
    """A file after lost parts begins in the middle of a group of pictures."""
    broken = file(1, parts(gop=4, first_is_key=False), sequence=200)
    playlist = build([file(0), broken], 0, 120)
    assert playlist.segments[15].time == START / 1000 + 62
    assert playlist.segments[15].is_discontinuity


def test_a_file_without_key_parts_plays_where_it_continues_the_one_before():
    endless = parts(gop=1000)
    without_key = parts(gop=1000, first_is_key=False)
    playlist = build([file(0, endless), file(1, without_key)], 0, 120)
    assert [segment.duration for segment in playlist.segments] == [60.0, 60.0]
    assert not playlist.segments[1].is_discontinuity
    # From its second minute on: decoding begins with the key part before.
    assert build([file(0, endless), file(1, without_key)], 90, 120).segments[0].time == START / 1000


def test_a_file_without_key_parts_that_continues_nothing_is_not_played():
    assert build_playlist([file(0, parts(first_is_key=False, gop=1000))], START, START + MINUTE) is None


def test_an_empty_range_has_no_playlist():
    assert build_playlist([], START, START + MINUTE) is None
    assert build_playlist([file(0)], START + 2 * MINUTE, START + 3 * MINUTE) is None
    assert build_playlist([file(5)], START, START + MINUTE) is None
    assert build_playlist([file(0, [])], START, START + MINUTE) is None


def test_silent_segments_between_audio_are_filled_and_change_no_tracks():
    silent = range(16, 32)
    playlist = build([file(0, parts(silent=silent))], 0, 60)
    size = sum(1000 + part for part in range(16, 24))
    offset = INIT + sum(1000 + part for part in range(16))
    assert playlist.segments[2].uri == f"segments/1/sound/{offset}-{size}.m4s"
    assert playlist.segments[2].byte_range is None
    assert [segment.byte_range is None for segment in playlist.segments[:5]] == [False, False, True, True, False]
    assert not any(segment.is_discontinuity for segment in playlist.segments)


def test_one_short_part_without_audio_is_not_silence():
    playlist = build([file(0, parts(silent=(3, 9)))], 0, 60)
    assert all(segment.byte_range for segment in playlist.segments)


def test_late_audio_has_its_track_from_the_start():
    playlist = build([file(0, parts(silent=range(60)))], 0, 60)
    assert playlist.segments[0].map == ("segments/1/init.mp4?tracks=sound", None)
    assert {segment.map for segment in playlist.segments} == {playlist.segments[0].map}


def test_footage_without_audio_declares_none():
    silent = file(0, parts(silent=range(120)))
    assert {s.map for s in build([silent], 0, 60).segments} == {("segments/1/init.mp4?tracks=video", None)}
    # All playlists of a device that is known to send audio declare it.
    known = build([silent], 0, 60, has_sound=True)
    assert known.segments[0].map == ("segments/1/init.mp4?tracks=sound", None)
    assert all("/sound/" in segment.uri for segment in known.segments)


def test_a_day_has_longer_segments_so_that_its_playlist_stays_small():
    assert choose_length_ms(0, 3_600_000) == 4000
    text = build_playlist([file(number) for number in range(1440)], START, START + 86_400_000)
    assert len(text) < 500_000
    playlist = read(text)
    assert len(playlist.segments) <= 5760
    assert playlist.duration == 86_400


def test_a_growing_playlist_only_grows_at_its_end():
    """Every state of the index while three minutes are written, part by part."""
    earlier = None
    for count in range(9, 361):
        files = []
        for number in range(3):
            done = min(120, max(0, count - number * 120))
            if done:
                is_open = count < (number + 1) * 120 + 3
                files.append(file(number, parts()[:done], start=START + number * (MINUTE + 1), is_open=is_open))
        text = build_playlist(files, START + 1000, START + 24 * 3_600_000, is_growing=True)
        if text is None:
            assert earlier is None
            continue
        assert check_playlist(text, previous=earlier) == []
        if earlier is not None:
            assert text.startswith(earlier)
        earlier = text
    assert "#EXT-X-PLAYLIST-TYPE:EVENT" in earlier
    assert "#EXT-X-ENDLIST" not in earlier
    assert read(earlier).duration >= 176


def test_the_open_file_is_played_up_to_its_indexed_end():
    files = [file(0), file(1, parts()[:31], is_open=True)]
    assert build(files, 0, 3600).duration == 75.5
    growing = build(files, 0, 3600, is_growing=True)
    assert growing.duration == 72
    assert growing.target == 8


def test_an_open_file_after_a_crash_is_played_completely():
    files = [file(0, parts()[:31], is_open=True), file(2, run=2, sequence=1, is_open=True)]
    growing = build(files, 0, 3600, is_growing=True)
    assert growing.segments[3].duration == 3.5
    assert growing.segments[4].is_discontinuity
