"""Ages are computed by a trusted time: a clock that is wrong deletes nothing at once, whenever it is wrong."""

from collections.abc import Callable

import pytest

from gateway import database
from gateway.clock import DAY_MS, FakeClock
from gateway.config import Config
from gateway.footage.segments import FIFTEEN_MINUTES_MS
from gateway.storage.clock_trust import (
    CATCH_UP_SPEED,
    DOUBT_ENDS_QUARTERS,
    ClockTrust,
    confirm_clock,
    read_row,
    report_doubt_once,
)
from gateway.storage.local import LocalStorage, ensure_storage
from gateway.storage.retention import Retention
from gateway.tenancy.scopes import TenantScope
from tests.factories import make_config
from tests.footage import MINUTE_MS, NOON_MS, Footage, make_footage

pytestmark = pytest.mark.usefixtures("bound_database")

HOUR = 3600
DAY = 24 * HOUR
KEEP_DAYS = 14


@pytest.fixture
def settings(tmp_path) -> Callable[..., Config]:
    values = {"recordings_dir": tmp_path / "recordings", "keep_days": KEEP_DAYS, "free_bytes_floor": 1}
    return lambda **more: make_config(**(values | more))


@pytest.fixture
def storage(settings) -> LocalStorage:
    return ensure_storage(settings())


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOON_MS / 1000)


@pytest.fixture
def footage(scope: TenantScope, storage: LocalStorage) -> Footage:
    return make_footage(scope, storage)


@pytest.fixture
def keep(settings, storage) -> Callable[..., Retention]:
    """The retention of a process that starts now, by this clock."""
    return lambda clock, **values: Retention(settings(**values), storage, clock)


def fill_days(footage: Footage, days: int = 10, *, end_ms: int = NOON_MS, run: int = 1) -> list[int]:
    """A file for each of the last days."""
    starts = [end_ms - (days - index) * DAY_MS + DAY_MS // 2 for index in range(days)]
    for number, start_ms in enumerate(starts):
        footage.add(start_ms, run=run, sequence=1 + number * 10, data=b"x", size=1)
    return starts


def record_quarters(footage: Footage, clock: FakeClock, count: int, keeper: Retention, *, run: int = 9) -> None:
    """Record for so many quarters of an hour, while retention goes on."""
    for number in range(count):
        footage.add(int(clock.wall() * 1000), run=run, sequence=1 + number * 10, data=b"x", size=1)
        keeper.run()
        clock.advance(FIFTEEN_MINUTES_MS / 1000)


@pytest.mark.parametrize("days_ahead", [5, 15, 20, 400, 4000])
def test_a_clock_that_is_ahead_at_boot_deletes_nothing(footage, keep, clock, days_ahead):
    starts = fill_days(footage)
    clock.jump(days_ahead * DAY)
    keeper = keep(clock)
    for _ in range(20):
        assert keeper.run().total_segments == 0
        clock.advance(600)
    assert footage.starts() == starts
    assert keep(clock).run().total_segments == 0, "nor does the next process"


@pytest.mark.parametrize("days_ahead", [15, 400])
def test_a_clock_that_is_ahead_at_a_later_boot_deletes_nothing(footage, keep, clock, days_ahead):
    starts = fill_days(footage)
    keep(clock).run()
    ahead = FakeClock(NOON_MS / 1000 + days_ahead * DAY)
    keeper = keep(ahead)
    report = keeper.run()
    assert footage.starts() == starts
    assert report.held == {footage.device_id: footage.tenant_id}
    assert report.time.is_doubted


def test_footage_of_minutes_by_the_wrong_clock_does_not_make_it_right(footage, keep, clock):
    starts = fill_days(footage)
    clock.jump(400 * DAY)
    keeper = keep(clock)
    record_quarters(footage, clock, 8, keeper)
    assert footage.starts()[: len(starts)] == starts
    assert keep(clock).run().total_segments == 0


def test_the_same_wrong_date_at_each_boot_is_never_believed(footage, keep, clock):
    starts = fill_days(footage)
    keep(clock).run()
    for _ in range(30):
        wrong = FakeClock(NOON_MS / 1000 + 400 * DAY)
        keeper = keep(wrong)
        for number in range(4):
            if not footage.starts()[-1] >= int(wrong.wall() * 1000):
                footage.add(int(wrong.wall() * 1000), run=5, sequence=1 + number, data=b"x", size=1)
            keeper.run()
            wrong.advance(900)
    assert footage.starts()[: len(starts)] == starts


def test_after_a_day_of_footage_the_clock_is_trusted_and_footage_goes_in_shares(footage, keep, clock):
    starts = fill_days(footage)
    clock.jump(400 * DAY)
    keeper = keep(clock)
    record_quarters(footage, clock, DOUBT_ENDS_QUARTERS, keeper)
    assert footage.starts()[: len(starts)] == starts
    deleted = []
    for _ in range(30 * 4):
        deleted.append(keeper.run().total_segments)
        clock.advance(900)
    assert max(deleted) == 1, "a share in each pass"
    assert sum(deleted) == len(starts)


def test_a_person_says_that_the_clock_is_right(footage, keep, clock):
    starts = fill_days(footage)
    clock.jump(400 * DAY)
    keeper = keep(clock)
    keeper.run()
    confirm_clock(clock)
    assert keeper.run().total_segments == len(starts)
    assert keeper.run().held == {}


def test_a_person_may_confirm_right_after_the_clock_was_set(footage, keep, clock):
    fill_days(footage)
    keeper = keep(clock)
    keeper.run()
    clock.jump(400 * DAY)
    assert keeper.run().total_segments == 0
    clock.advance(5)
    confirm_clock(clock)
    assert keeper.run().total_segments == 10


def test_a_clock_that_is_corrected_minutes_after_boot_deletes_nothing(footage, keep, clock):
    starts = fill_days(footage)
    keep(clock).run()
    clock = FakeClock(NOON_MS / 1000 + 400 * DAY)
    keeper = keep(clock)
    keeper.run()
    footage.add(int(clock.wall() * 1000), run=2, data=b"x", size=1)
    clock.advance(300)
    keeper.run()
    clock.jump(-400 * DAY)
    for _ in range(10):
        report = keeper.run()
        assert report.total_segments == 0
        assert not report.time.is_doubted
        clock.advance(HOUR)
    assert footage.starts()[:-1] == starts


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_footage_of_a_clock_that_was_behind_is_as_young_as_it_is(footage, keep):
    """A board without a battery starts in 1970, records, and learns the time a few minutes later."""
    before = FakeClock(NOON_MS / 1000)
    fill_days(footage, run=1)
    keep(before).run()
    clock = FakeClock(86_400.0)
    keeper = keep(clock)
    for number in range(3):
        footage.add(int(clock.wall() * 1000), run=2, sequence=1 + number, data=b"x", size=1)
        clock.advance(60)
        keeper.run()
    clock.jump(NOON_MS / 1000 + 3 * HOUR - clock.wall())
    footage.add(int(clock.wall() * 1000), run=3, data=b"x", size=1)
    for _ in range(3 * 24):
        keeper.run()
        clock.advance(HOUR)
    assert len([start for start in footage.starts() if start < DAY_MS * 10]) == 3, "recorded three days ago"
    for _ in range(13 * 24):
        keeper.run()
        clock.advance(HOUR)
    assert [start for start in footage.starts() if start < DAY_MS * 10] == [], "recorded 16 days ago"


def test_footage_of_the_future_goes_with_that_of_its_time(footage, keep, clock):
    """The clock was a year ahead for some minutes, between two runs of right time."""
    for run, start_ms in ((1, NOON_MS - MINUTE_MS), (2, NOON_MS + 365 * DAY_MS), (3, NOON_MS + MINUTE_MS)):
        footage.add(start_ms, run=run, data=b"x", size=1)
    keeper = keep(clock)
    for _ in range(13):
        keeper.run()
        clock.advance(DAY)
    assert len(footage.starts()) == 3
    for _ in range(3):
        keeper.run()
        clock.advance(DAY)
    assert footage.starts() == []
    footage.check_roll_up()


def test_footage_of_the_future_makes_room_when_nothing_else_is_left(footage, keep, clock):
    footage.add(NOON_MS + 365 * DAY_MS, data=b"x", size=1)
    assert keep(clock).make_room().total_segments == 1


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_machine_that_was_off_over_a_weekend_asks_nobody(footage, keep, clock):
    fill_days(footage, 14)
    keep(clock).run()
    clock = FakeClock(NOON_MS / 1000 + 2.5 * DAY)
    keeper = keep(clock)
    deleted = 0
    for _ in range(6 * 60):
        report = keeper.run()
        deleted += report.total_segments
        assert not report.time.is_doubted
        clock.advance(60)
    assert deleted == 3
    assert report.time.is_settled


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_device_that_is_seldom_recorded_does_not_make_the_clock_doubtful(footage, keep, clock):
    """What counts is that the service ran, which it tells by the minute."""
    starts = fill_days(footage, 2)
    keeper = keep(clock)
    for _ in range(20 * 24):
        report = keeper.run()
        assert not report.time.is_doubted
        clock.advance(HOUR)
    assert not set(starts) & set(footage.starts())
    assert not keep(clock).run().time.is_doubted, "nor after a restart"


def test_a_lower_limit_of_age_applies_at_once(footage, keep, clock):
    fill_days(footage)
    keep(clock).run()
    assert keep(clock, keep_days=3).run().total_segments == 7


def test_two_processes_do_not_make_the_trusted_time_twice_as_fast(footage, clock):
    first, second = ClockTrust(clock), ClockTrust(clock)
    first.check()
    clock.jump(DAY)
    for trust in (first, second):
        trust.check()
    clock.advance(HOUR)  # the pause after the clock was set
    begin = max(first.check().now_ms, second.check().now_ms)
    for _ in range(60):
        clock.advance(60)
        first.check()
        second.check()
    advanced = (first.check().now_ms - begin) / 1000
    assert HOUR < advanced <= (CATCH_UP_SPEED + 1) * HOUR


def test_a_machine_with_a_wrong_clock_does_not_mislead_one_with_the_right_one(footage, keep, clock):
    starts = fill_days(footage)
    right, wrong = keep(clock), keep(FakeClock(NOON_MS / 1000 + 400 * DAY))
    for _ in range(50):
        right.run()
        assert wrong.run().total_segments == 0
        clock.advance(60)
    assert footage.starts() == starts
    assert not right.run().time.is_doubted


def test_a_clock_that_was_ahead_and_confirmed_may_go_back(footage, keep, clock):
    wrong = FakeClock(NOON_MS / 1000 + 400 * DAY)
    keeper = keep(wrong)
    keeper.run()
    confirm_clock(wrong)
    keeper.run()
    starts = fill_days(footage)
    keeper = keep(clock)
    assert keeper.run().total_segments == 0
    confirm_clock(clock)
    assert keeper.run().total_segments == 0
    assert footage.starts() == starts
    assert not keeper.run().time.is_doubted


def test_a_doubt_is_reported_once(footage, keep, clock):
    fill_days(footage)
    keep(clock).run()
    assert not report_doubt_once()
    wrong = FakeClock(NOON_MS / 1000 + 400 * DAY)
    keep(wrong).run()
    assert [report_doubt_once() for _ in range(2)] == [True, False]
    confirm_clock(wrong)
    later = FakeClock(wrong.wall() + 400 * DAY)
    keep(later).run()
    assert report_doubt_once(), "a new doubt"


def test_a_new_installation_trusts_its_clock(clock):
    trust = ClockTrust(clock)
    assert trust.check().is_settled
    clock.advance(400 * DAY)
    assert trust.check().is_settled, "time that has passed is no step"


def test_protected_and_sized_footage_follow_their_own_rules(footage, keep, clock):
    starts = fill_days(footage)
    clock.jump(400 * DAY)
    footage.change(keep_bytes=4)
    keep(clock).run()
    assert footage.starts() == starts[-4:], "a limit of size does not depend on the clock"


def test_the_time_is_saved_seldom(footage, clock, monkeypatch):
    trust = ClockTrust(clock)
    trust.check()
    writes = []
    monkeypatch.setattr(database, "transaction", lambda: writes.append(1) or pytest.fail("written"))
    clock.advance(10)
    trust.check()
    assert read_row() is not None
    assert writes == []


def test_a_clock_that_is_first_behind_and_then_ahead_is_not_believed_for_the_footage_of_before(footage, keep, clock):
    starts = [NOON_MS - number * FIFTEEN_MINUTES_MS for number in range(2 * DOUBT_ENDS_QUARTERS, 0, -1)]
    for number, start_ms in enumerate(starts):
        footage.add(start_ms, sequence=1 + number, data=b"x", size=1)
    keep(clock).run()
    behind = keep(FakeClock(86_400.0))
    assert behind.run().time.is_doubted
    ahead = keep(FakeClock(NOON_MS / 1000 + 400 * DAY))
    for _ in range(3):
        report = ahead.run()
        assert (report.time.is_doubted, report.total_segments) == (True, 0)
    assert footage.starts() == starts


def test_a_clock_that_was_two_days_ahead_for_minutes_leaves_no_doubt(footage, keep, clock):
    fill_days(footage)
    keep(clock).run()
    ahead = FakeClock(NOON_MS / 1000 + 2 * DAY)
    keeper = keep(ahead)
    for _ in range(5):
        keeper.run()
        ahead.advance(60)
    ahead.jump(-2 * DAY)
    report = keeper.run()
    assert (report.time.is_doubted, report.held) == (False, {})


def test_a_confirmation_is_not_overwritten_by_a_check_at_the_same_time(footage, clock, monkeypatch):
    fill_days(footage)
    trust = ClockTrust(clock)
    trust.check()
    clock.jump(400 * DAY)
    save = ClockTrust._save

    def confirm_first(self, *arguments) -> None:
        confirm_clock(clock)
        save(self, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(ClockTrust, "_save", confirm_first)
        trust.check()
    assert trust.check().is_settled
