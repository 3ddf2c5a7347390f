"""UDP: packets in the order of their numbers, without duplicates, within a bounded window."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workers.rtsp.camera import rtp
from workers.rtsp.reorder import WINDOW_PACKETS, WINDOW_SECONDS, Reorder


class Ordered:
    def __init__(self) -> None:
        self.numbers: list[int] = []
        self.reorder = Reorder(lambda packet, arrived: self.numbers.append(int.from_bytes(packet[2:4], "big")))

    def take(self, *numbers: int, at: float = 0.0) -> list[int]:
        for number in numbers:
            self.reorder.take(rtp(number), at)
        return self.numbers


@pytest.mark.parametrize(
    ("taken", "passed"),
    [
        ([1, 2, 3], [1, 2, 3]),
        ([1, 3, 2, 4], [1, 2, 3, 4]),
        ([1, 4, 3, 2, 5], [1, 2, 3, 4, 5]),
        ([1, 2, 2, 3, 1, 3], [1, 2, 3]),
        ([1, 3, 3, 2], [1, 2, 3]),
        ([65_534, 0, 65_535, 1], [65_534, 65_535, 0, 1]),
        ([1, 3], [1]),
    ],
)
def test_packets_pass_in_order_once(taken: list[int], passed: list[int]):
    assert Ordered().take(*taken) == passed


def test_a_packet_in_order_never_waits():
    ordered = Ordered()
    for number in range(100):
        assert ordered.take(number)[-1] == number
        assert ordered.reorder.deadline is None


def test_a_missing_packet_is_waited_for_so_long_only():
    ordered = Ordered()
    ordered.take(1, 3, 4, at=5.0)
    assert ordered.reorder.deadline == 5.0 + WINDOW_SECONDS
    ordered.reorder.flush(5.0 + WINDOW_SECONDS / 2)
    assert ordered.numbers == [1]
    ordered.reorder.flush(5.0 + WINDOW_SECONDS)
    assert ordered.numbers == [1, 3, 4]
    assert ordered.take(2, 5) == [1, 3, 4, 5]
    assert ordered.reorder.dropped == 1


def test_each_gap_has_its_own_time():
    ordered = Ordered()
    ordered.take(1, 3, at=5.0)
    ordered.take(5, at=5.05)
    ordered.reorder.flush(5.1)
    assert ordered.numbers == [1, 3]
    ordered.reorder.flush(5.15)
    assert ordered.numbers == [1, 3, 5]


def test_the_window_is_bounded_in_packets():
    ordered = Ordered()
    ordered.take(0, *range(2, 2 + WINDOW_PACKETS + 1))
    assert ordered.numbers == [0, *range(2, 2 + WINDOW_PACKETS + 1)]


def test_a_camera_that_begins_again_with_other_numbers():
    assert Ordered().take(10, 11, 40_000, 40_001, 40_002) == [10, 11, 40_000, 40_001, 40_002]
    lower = list(range(500, 560))
    assert Ordered().take(1000, 1001, *lower)[-20:] == lower[-20:]


def test_a_single_number_far_away_is_dropped():
    assert Ordered().take(10, 11, 40_000, 12, 13) == [10, 11, 12, 13]


def test_shuffled_within_the_window_all_pass_in_order():
    generator = random.Random(7)
    ordered, numbers = Ordered(), list(range(2000))
    for start in range(1, 2000, 30):
        part = numbers[start : start + 30]
        generator.shuffle(part)
        numbers[start : start + 30] = part
    assert ordered.take(*numbers) == list(range(2000))


@given(st.lists(st.integers(0, 65_535) | st.integers(0, 70), max_size=300))
def test_any_numbers_pass_at_most_once_in_a_row_and_few_are_kept(numbers: list[int]):
    ordered = Ordered()
    for place, number in enumerate(numbers):
        ordered.take(number, at=place / 100)
        assert len(ordered.reorder._waiting) <= WINDOW_PACKETS + 1
    ordered.reorder.flush(1e9)
    assert ordered.reorder.deadline is None
    assert len(ordered.numbers) <= len(numbers)
