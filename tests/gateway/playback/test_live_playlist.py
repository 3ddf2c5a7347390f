"""The live playlist lists exactly the parts on the bus, with the numbers of the bus, and conforms to HLS."""

import random
from dataclasses import replace

import pytest

from gateway.errors import InvalidValue
from gateway.media import Position
from gateway.playback.live_playlist import LivePart, LivePlaylist, ReloadTarget, cut_segments
from tests.hls_reading import read_playlist
from tests.hls_validator import check_playlist

NOON = 1_773_230_400.0


class Bus:
    """Numbered parts like those of a camera with 25 fps and a key frame every two seconds."""

    def __init__(self, segment: int = 1000) -> None:
        self.parts: list[LivePart] = []
        self.segment, self.discontinuity, self.run, self.sequence = segment, 3, 7, 0
        self.now = NOON

    def add(self, *durations: float, is_key: bool = True) -> "Bus":
        """Add a group of pictures as a segment."""
        self.segment += 1
        for number, duration in enumerate(durations or (0.52, 0.52, 0.52, 0.44)):
            self.sequence += 1
            self.parts.append(LivePart(
                Position(self.run, self.sequence), self.segment, self.discontinuity, self.now, duration,
                is_key and number == 0, False,
            ))  # fmt: skip
            self.now += duration
        return self

    def restart(self, away_seconds: float = 5.0) -> "Bus":
        self.run, self.sequence, self.discontinuity = self.run + 1, 0, self.discontinuity + 1
        self.now += away_seconds
        return self

    def lose(self, *places: int) -> "Bus":
        self.parts = [part for place, part in enumerate(self.parts) if place not in places]
        return self


def spell(bus: Bus, *, can_block: bool = True) -> str:
    return LivePlaylist(bus.parts).format(folder="live/", can_block=can_block)


def numbers(bus: Bus) -> list[int]:
    return [segment.number for segment in LivePlaylist(bus.parts).segments]


def test_a_playlist_of_a_running_camera_is_right_and_names_parts_and_segments():
    bus = Bus().add().add().add().add().add(0.52, 0.52)
    text = spell(bus)
    playlist, _ = read_playlist(text)

    assert check_playlist(text) == []
    assert (playlist.version, playlist.target, playlist.part_target) == (9, 2, 0.55)
    assert playlist.sequence == 1001
    assert [segment.uri for segment in playlist.segments][:2] == ["live/7-1-4.m4s", "live/7-5-8.m4s"]
    assert [part.is_independent for part in playlist.segments[0].parts] == [True, False, False, False]
    assert [part.uri for part in playlist.parts] == ["live/7-17.m4s", "live/7-18.m4s"]
    assert playlist.hints == [{"TYPE": "PART", "URI": "live/7-19.m4s"}]
    assert playlist.map == ("live/init-7.mp4", None)
    assert playlist.segments[1].time == pytest.approx(NOON + 2)
    assert playlist.control == {"CAN-BLOCK-RELOAD": "YES", "PART-HOLD-BACK": "1.65", "HOLD-BACK": "6"}


def test_each_new_part_gives_a_valid_reload_whatever_happens_to_the_camera():
    bus = Bus().add().add().add().add().add().add().restart().add().add().restart(0.5).add().add().add().add()
    window = 32
    texts = [
        LivePlaylist(bus.parts[max(0, end - window) : end]).format(folder="live/", can_block=True)
        for end in range(1, len(bus.parts) + 1)
    ]
    for before, after in zip([None, *texts], texts, strict=False):
        assert check_playlist(after, previous=before) == []
    assert len({read_playlist(text)[0].discontinuity_sequence for text in texts}) > 1


def test_a_run_is_a_discontinuity_with_an_init_segment_of_its_own():
    text = spell(Bus().add().restart().add().add())
    playlist, _ = read_playlist(text)
    assert [segment.map for segment in playlist.segments] == [
        ("live/init-7.mp4", None),
        ("live/init-8.mp4", None),
    ]
    assert [segment.discontinuity for segment in playlist.segments] == [3, 4]
    assert text.count("#EXT-X-DISCONTINUITY\n") == 1


def test_the_discontinuity_sequence_stays_small():
    # The bus starts to count at the current second when it has no number yet.
    bus = Bus()
    bus.discontinuity = 1_773_230_400
    assert read_playlist(spell(bus.add()))[0].discontinuity_sequence == 400


def test_a_segment_without_its_first_parts_is_not_listed():
    assert numbers(Bus().add().add().add().lose(0)) == [1002, 1003]
    assert numbers(Bus().add().add().add().lose(0, 1, 2, 3)) == [1003], "it is unknown whether 1002 is whole"
    assert numbers(Bus().add()) == [1001]
    assert LivePlaylist(Bus().add().lose(0).parts).is_empty
    assert LivePlaylist([]).is_empty


def test_parts_before_a_missing_one_are_not_listed():
    bus = Bus().add().add().add().add()
    assert numbers(bus.lose(5)) == [1003, 1004]
    assert [s.is_complete for s in cut_segments(bus.parts)] == [True, False]


def test_only_segments_that_players_need_are_listed():
    bus = Bus()
    for _ in range(10):
        bus.add()
    playlist, _ = read_playlist(spell(bus))
    assert [segment.number for segment in playlist.segments] == [1006, 1007, 1008, 1009]
    assert playlist.parts
    assert playlist.duration >= 3 * playlist.target


def test_the_media_sequence_never_goes_back():
    """Whatever the lengths of segments, and whatever is trimmed. It depends on the bus alone, not on the process."""
    for seed in range(30):
        chance = random.Random(seed)
        bus, shown = Bus(), 0
        for _ in range(120):
            longest = chance.choice((1, 2, 4, 12))
            bus.add(*(0.96 * chance.random() for _ in range(longest)))
            if chance.random() < 0.05:
                bus.restart()
            while bus.parts[-1].end - bus.parts[0].start > 40:
                bus.parts.pop(0)
            playlist = LivePlaylist(bus.parts)
            if not playlist.is_empty:
                assert playlist.segments[0].number >= shown, seed
                shown = playlist.segments[0].number


def test_a_longer_segment_does_not_bring_back_those_that_left_the_list():
    bus = Bus()
    for _ in range(12):
        bus.add(0.5, 0.5)
    before = numbers(bus)[0]
    bus.add(0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5).add(0.5)
    assert LivePlaylist(bus.parts).target_seconds == 4
    assert numbers(bus)[0] >= before


@pytest.mark.parametrize(
    ("durations", "target", "part_target"),
    [
        ((0.5, 0.5), 2, 0.5),
        ((0.6, 0.4), 2, 0.6),
        ((1.0,), 2, 1.0),
        ((0.52,) * 7, 4, 0.55),
        ((0.04,) * 25, 2, 0.35),
        ((6.3,), 7, 6.3),
    ],
)
def test_targets_are_those_of_the_footage(durations, target, part_target):
    playlist = LivePlaylist(Bus().add(*durations).add(*durations).parts)
    assert (playlist.target_seconds, round(playlist.part_seconds, 3)) == (target, part_target)
    assert check_playlist(playlist.format(folder="live/", can_block=True)) == []


def test_very_short_parts_are_joined_and_listed_once_they_are_long_enough():
    bus = Bus().add(0.52, 0.52, 0.06).add(0.04, 0.04)
    text = spell(bus)
    playlist, _ = read_playlist(text)
    assert [part.uri for part in playlist.segments[0].parts] == [
        "live/7-1.m4s",
        "live/7-2.m4s",
        "live/7-3.m4s",
    ]
    assert playlist.parts == []
    assert not LivePlaylist(bus.parts).has(ReloadTarget(1002, 0))
    for _ in range(6):
        bus.parts.append(
            replace(bus.parts[-1], position=Position(7, bus.parts[-1].position.sequence + 1), is_key=False)
        )
    playlist, _ = read_playlist(spell(bus))
    assert [(part.uri, part.is_independent) for part in playlist.parts] == [("live/7-4-11.m4s", True)]
    assert playlist.hints == [], "it is unknown how many parts will be joined next"
    assert LivePlaylist(bus.parts).has(ReloadTarget(1002, 0))


def test_a_part_without_a_key_frame_is_not_called_independent():
    assert "INDEPENDENT" not in spell(Bus().add(is_key=False))


def test_a_playlist_that_cannot_block_has_no_hints():
    text = spell(Bus().add().add(), can_block=False)
    assert "CAN-BLOCK-RELOAD" not in text
    assert "PRELOAD-HINT" not in text
    assert check_playlist(text) == []


@pytest.mark.parametrize(
    ("target", "is_there"),
    [
        (ReloadTarget(999), True),
        (ReloadTarget(1001), True),
        (ReloadTarget(1002), False),
        (ReloadTarget(1002, 0), True),
        (ReloadTarget(1002, 1), True),
        (ReloadTarget(1002, 2), False),
        (ReloadTarget(1001, 3), True),
        (ReloadTarget(1001, 4), True),
        (ReloadTarget(1003, 0), False),
    ],
)
def test_a_blocking_reload_waits_for_its_target(target, is_there):
    # A part beyond the last of a whole segment is the first of the next.
    assert LivePlaylist(Bus().add().add(0.52, 0.52).parts).has(target) is is_there


@pytest.mark.parametrize(("target", "field"), [(ReloadTarget(1005), "_HLS_msn"), (ReloadTarget(1002, 99), "_HLS_part")])
def test_a_target_that_is_too_far_ahead_is_refused(target, field):
    playlist = LivePlaylist(Bus().add().add(0.52, 0.52).parts)
    playlist.check(ReloadTarget(1004, 0))
    with pytest.raises(InvalidValue) as caught:
        playlist.check(target)
    assert caught.value.field == field
    LivePlaylist([]).check(target)
