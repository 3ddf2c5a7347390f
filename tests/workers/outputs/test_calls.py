"""A consumption whose call hangs is named, then left to its thread; its supervisor goes on."""

import threading

import pytest

from tests.conftest import wait_until
from workers.outputs import calls
from workers.outputs.calls import GuardedCalls, OutputBlocked


class Left(Exception):
    """The supervisor has to end."""


@pytest.fixture
def looks(monkeypatch) -> list[str | None]:
    monkeypatch.setattr(calls, "_LOOK_SECONDS", 0.005)
    monkeypatch.setattr(calls, "BLOCKED_SECONDS", 0.02)
    monkeypatch.setattr(calls, "GIVEN_UP_SECONDS", 0.05)
    monkeypatch.setattr(calls, "_CLOSE_SECONDS", 0.05)
    return []


@pytest.fixture
def guarded(looks):
    guarded = GuardedCalls("bad", "bad d1", looks.append)
    yield guarded
    guarded.end()


def test_a_call_returns_its_result_and_its_error(guarded):
    assert guarded.run("take", lambda part: part + 1, 6) == 7
    with pytest.raises(ZeroDivisionError):
        guarded.run("take", lambda: 1 / 0)


def test_a_call_that_hangs_is_named_and_given_up(guarded, looks):
    proceed, closed = threading.Event(), threading.Event()
    with pytest.raises(OutputBlocked, match="'take' has not returned for "):
        guarded.run("take", proceed.wait)
    assert looks[-1].startswith("'take' has not returned for ")
    guarded.close(closed.set)
    assert not closed.is_set(), "the consumption is in use by the call that hangs"
    assert guarded.run("attach", lambda: 7) == 7, "another thread serves the next attachment"
    proceed.set()
    assert closed.wait(5)


def test_with_too_many_calls_that_hang_the_output_is_not_attached_again(guarded):
    proceed = threading.Event()
    for _ in range(calls.MOST_LEFT):
        assert guarded.can_attach()
        with pytest.raises(OutputBlocked):
            guarded.run("take", proceed.wait)
        guarded.close(lambda: None)
    assert not guarded.can_attach()
    proceed.set()
    wait_until(guarded.can_attach, "the calls have returned")


def test_a_supervisor_that_has_to_end_does_not_wait(looks):
    def look(_blocked: str | None) -> None:
        raise Left

    guarded, proceed = GuardedCalls("bad", "bad d1", look), threading.Event()
    with pytest.raises(Left):
        guarded.run("take", proceed.wait)
    proceed.set()
    guarded.end()


def test_a_close_that_hangs_is_given_up(guarded):
    proceed = threading.Event()
    with pytest.raises(OutputBlocked, match="'close'"):
        guarded.close(proceed.wait)
    proceed.set()
