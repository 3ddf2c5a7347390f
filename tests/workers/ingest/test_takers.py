"""Packets go to the outputs that want them; one that raises is left out, the others go on."""

import pytest

from gateway.outputs import PacketTaker
from workers.ingest.takers import TakerGroup
from workers.rtp.units import VIDEO


class Taker(PacketTaker):
    def __init__(self, *, is_wanted: bool = True, fails_in: str = "") -> None:
        self.is_wanted = is_wanted
        self.fails_in = fails_in
        self.error: BaseException = RuntimeError("a mistake")
        self.calls: list[tuple] = []

    def _note(self, name: str, *values: object) -> None:
        if name == self.fails_in:
            raise self.error
        self.calls.append((name, *values))

    def begin(self, kind, codec, parameter_sets):
        self._note("begin", codec)

    def take(self, kind, payload, time, *, ends_unit):
        self._note("take", payload, time, ends_unit)

    def lost(self, kind, packets):
        self._note("lost", packets)

    def flush(self):
        self._note("flush")


@pytest.fixture
def failures() -> list[str]:
    return []


@pytest.fixture
def group(failures) -> TakerGroup:
    return TakerGroup(lambda name, error: failures.append(f"{name}: {error}"))


def pass_one(group: TakerGroup) -> None:
    group.begin(VIDEO, "h264", ())
    group.lost(VIDEO, 3)
    group.take(VIDEO, b"x", 1.0, ends_unit=True)
    group.flush()


def test_a_group_is_wanted_while_one_of_it_is(group):
    assert not group.is_wanted
    idle, busy = Taker(is_wanted=False), Taker()
    group.put("idle", idle)
    assert not group.is_wanted
    group.put("busy", busy)
    assert group.is_wanted
    pass_one(group)
    assert [call[0] for call in busy.calls] == ["begin", "lost", "take", "flush"]
    assert [call[0] for call in idle.calls] == ["begin"], "it knows the track when it becomes wanted"


def test_one_that_comes_later_learns_of_the_track(group):
    group.begin(VIDEO, "h264", (b"sps",))
    late = Taker()
    group.put("late", late)
    assert late.calls == [("begin", "h264")]
    group.put("late", late)
    assert len(late.calls) == 1, "it is there already"


@pytest.mark.parametrize("call", ["begin", "take", "lost", "flush"])
def test_one_that_raises_is_left_out_and_named(group, failures, call):
    bad, good = Taker(fails_in=call), Taker()
    group.put("bad", bad)
    group.put("good", good)
    pass_one(group)
    pass_one(group)
    assert failures == ["bad: a mistake"]
    assert len(good.calls) == 8


def test_one_that_is_taken_away_gets_nothing_more(group):
    taker = Taker()
    group.put("one", taker)
    group.put("one", None)
    pass_one(group)
    assert taker.calls == []
    assert not group.is_wanted


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt()])
@pytest.mark.parametrize("call", ["take", "flush"])
def test_one_that_would_end_the_loop_is_left_out(group, failures, call, error):
    bad = Taker(fails_in=call)
    bad.error = error
    group.put("bad", bad)
    pass_one(group)
    assert len(failures) == 1
    assert not group.is_wanted


def test_one_that_is_slow_several_times_within_a_minute_is_left_out(group, failures, monkeypatch):
    now = 0.0
    monkeypatch.setattr("workers.ingest.takers.monotonic", lambda: now)

    class Slow(Taker):
        def take(self, kind, payload, time, *, ends_unit):
            nonlocal now
            now += 0.06

    group.put("slow", Slow())
    for _ in range(2):
        group.take(VIDEO, b"x", 1.0, ends_unit=True)
    now += 61
    for _ in range(2):
        group.take(VIDEO, b"x", 1.0, ends_unit=True)
    assert failures == []
    group.take(VIDEO, b"x", 1.0, ends_unit=True)
    assert failures == ["slow: it blocked the loop for 0.06 s"]
    assert not group.is_wanted


def test_one_that_is_very_slow_is_left_out_at_once(group, failures, monkeypatch):
    now = 0.0
    monkeypatch.setattr("workers.ingest.takers.monotonic", lambda: now)

    class Slow(Taker):
        def flush(self):
            nonlocal now
            now += 3

    group.put("slow", Slow())
    group.flush()
    assert failures == ["slow: it blocked the loop for 3.00 s"]
