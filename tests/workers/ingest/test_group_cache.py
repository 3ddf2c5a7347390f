"""The group cache keeps what a new FFmpeg needs to lose no picture, and no more."""

from workers.ingest.group_cache import GroupCache
from workers.rtp.units import AUDIO, VIDEO, MediaUnit


def picture(time: float, *, is_key: bool = False, size: int = 10) -> MediaUnit:
    return MediaUnit(VIDEO, time, bytes(size), is_key=is_key)


def fill(cache: GroupCache, until: int, each: int = 5) -> None:
    for number in range(until):
        cache.add(picture(float(number), is_key=number % each == 0))


def times(units: list[MediaUnit]) -> list[float]:
    return [unit.time for unit in units]


def test_nothing_is_kept_before_the_first_key_frame():
    cache = GroupCache()
    cache.add(MediaUnit(AUDIO, 0.0, b"sound"))
    cache.add(picture(0.0))
    assert cache.units() == []
    assert cache.last_group() == []
    assert cache.size == 0


def test_groups_stay_until_a_later_one_was_delivered():
    cache = GroupCache()
    fill(cache, 12)
    assert times(cache.units()) == list(range(12)), "nothing was delivered"
    assert times(cache.last_group()) == [10, 11]
    cache.acknowledge(4.9)
    assert times(cache.units())[0] == 0, "the picture before the second key frame is missing"
    cache.acknowledge(5.0)
    assert times(cache.units())[0] == 5
    cache.acknowledge(11.0)
    assert times(cache.units()) == [10, 11]
    assert cache.size == 20
    assert cache.lost_units == 0


def test_a_group_is_dropped_when_its_successor_begins_after_the_delivery():
    cache = GroupCache()
    fill(cache, 5)
    cache.acknowledge(5.0)
    assert len(cache.units()) == 5
    cache.add(picture(5.0, is_key=True))
    assert times(cache.units()) == [5]


def test_the_limit_drops_whole_groups_and_counts_what_was_not_delivered():
    cache = GroupCache(max_bytes=100)
    fill(cache, 11)
    assert times(cache.units()) == [5, 6, 7, 8, 9, 10]
    assert cache.lost_units == 5


def test_a_group_that_alone_exceeds_the_limit_is_not_offered_in_part():
    cache = GroupCache(max_bytes=100)
    for number in range(20):
        cache.add(picture(float(number), is_key=number == 0))
    assert cache.units() == []
    assert cache.size == 0
    cache.add(picture(20.0, is_key=True))
    assert times(cache.units()) == [20]


def test_sound_that_was_not_delivered_outlives_its_group():
    cache = GroupCache()
    fill(cache, 5)
    for number in range(50):
        cache.add(MediaUnit(AUDIO, 4.0 + number * 0.02, b"s"))
    cache.add(picture(5.0, is_key=True))
    cache.acknowledge(5.0, 4.9)
    units = cache.units()
    assert units[0].is_key, "a picture comes first"
    sound = times([unit for unit in units if unit.kind == AUDIO])
    assert (round(sound[0], 2), round(sound[-1], 2)) == (4.62, 4.98)
    assert cache.size == 10 + len(sound)
