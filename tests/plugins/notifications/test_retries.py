"""The schedule of attempts."""

import pytest

from plugins.notifications.retries import MAX_ATTEMPTS, PAUSES, parse_retry_after, pause_after

NOW = 1_795_341_600.0


def test_the_attempts_fill_24_hours_with_growing_pauses():
    assert sum(PAUSES) == 24 * 3600
    assert list(PAUSES) == sorted(PAUSES)
    assert pause_after(MAX_ATTEMPTS, 0.0) is None
    assert [pause_after(number, 0.0) for number in range(1, MAX_ATTEMPTS)] == list(PAUSES)


def test_pauses_are_shortened_by_chance_and_never_prolonged():
    assert pause_after(2, 1.0) == pytest.approx(270)


def test_a_receiver_may_ask_for_a_longer_pause_up_to_an_hour():
    assert pause_after(1, 0.0, 120) == 120
    assert pause_after(1, 0.0, 1) == 5
    assert pause_after(1, 0.0, 1e9) == 3600


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("120", 120),
        ("Sun, 22 Nov 2026 10:02:00 GMT", 120),
        ("Sun, 22 Nov 2020 10:02:00 GMT", None),
        ("-5", None),
        ("soon", None),
        ("9" * 100, None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_a_number_or_a_date(text: str | None, expected: float | None):
    assert parse_retry_after(text, NOW) == expected
