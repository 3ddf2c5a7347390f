"""Worker, sub-stream and probe together send a camera at most three logins that it refuses, in ten minutes."""

import asyncio
from types import SimpleNamespace

import pytest

from gateway.clock import FakeClock
from gateway.devices.login_budget import LoginBudget
from gateway.devices.sources import parse_source
from gateway.redis_client import connect_redis
from workers.rtp.units import SourceError
from workers.streams.login_session import LoginSession

SOURCE = parse_source("rtsp://admin:wrong@10.0.0.1/main")
LOCK_AFTER = 5


class LockingCamera:
    """Counts the logins that it refused; from the sixth on it refuses the right password too (R2-14)."""

    def __init__(self, password: str = "right") -> None:
        self.password, self.refused, self.logins = password, 0, 0
        self.answers = asyncio.Event()
        self.answers.set()

    async def answer(self, source) -> None:
        await self.answers.wait()
        self.logins += 1
        if source.credentials[1] != self.password or self.refused > LOCK_AFTER:
            self.refused += 1
            raise SourceError("unauthorized")


class StubSession:
    """A session with the camera, which asks for the login at `step`."""

    transport = "tcp"

    def __init__(self, camera: LockingCamera, source, step: str = "describe") -> None:
        self.camera, self.source, self.step, self.closed = camera, source, step, 0
        self.ended: asyncio.Future = asyncio.get_running_loop().create_future()

    async def describe(self):
        if self.step == "describe":
            await self.camera.answer(self.source)
        return SimpleNamespace(login="digest MD5" if self.step == "describe" else "none", tracks=())

    async def play(self, *_arguments) -> None:
        if self.step == "play":
            await self.camera.answer(self.source)

    async def wait_ended(self) -> None:
        await self.ended

    async def close(self) -> None:
        self.closed += 1


@pytest.fixture
def budget():
    clock = FakeClock()
    budget = LoginBudget(connect_redis("redis://127.0.0.1:1/0"), "a-secret-key-0123456789", clock=clock)
    budget.clock = clock
    return budget


async def open_once(camera, budget, source=SOURCE, step="describe") -> str | None:
    """The reason why a session could not be opened; None if it could."""
    session = LoginSession(StubSession(camera, source, step), source, budget)
    try:
        await session.describe()
        await session.play([], None)
    except SourceError as error:
        return error.reason
    finally:
        await session.close()
    return None


@pytest.mark.parametrize("step", ["describe", "play"])
def test_a_wrong_password_is_sent_three_times(budget, step):
    async def scenario():
        camera = LockingCamera()
        reasons = [await open_once(camera, budget, step=step) for _ in range(10)]
        assert reasons == ["unauthorized", "unauthorized"] + ["login_paused"] * 8
        assert camera.logins == 3

    asyncio.run(scenario())


def test_worker_sub_stream_and_probe_share_the_three(budget):
    async def scenario():
        camera = LockingCamera()
        sub = parse_source("rtsp://admin:wrong@10.0.0.1:554/sub")
        openings = [open_once(camera, budget, source) for _ in range(20) for source in (SOURCE, sub, SOURCE)]
        reasons = await asyncio.gather(*openings)
        assert camera.logins == 3
        assert set(reasons) <= {"unauthorized", "login_paused"}
        assert reasons.count("login_paused") >= 58

    asyncio.run(scenario())


def test_a_camera_that_locks_is_never_locked_and_the_right_password_is_tried_at_once(budget):
    async def scenario():
        camera = LockingCamera()
        for _ in range(5):
            assert await open_once(camera, budget) in ("unauthorized", "login_paused")
        right = parse_source("rtsp://admin:right@10.0.0.1/main")
        assert await open_once(camera, budget, right) is None
        assert camera.refused == 3

    asyncio.run(scenario())


def test_the_pause_ends_after_ten_minutes_or_when_a_person_says_so(budget):
    async def scenario():
        camera = LockingCamera("wrong")
        camera.password = "other"
        for _ in range(4):
            await open_once(camera, budget)
        camera.password = "wrong"
        assert await open_once(camera, budget) == "login_paused"
        budget.forget(SOURCE)
        assert await open_once(camera, budget) is None
        camera.password = "other"
        assert [await open_once(camera, budget) for _ in range(4)] == ["login_revoked"] * 2 + ["login_paused"] * 2
        budget.clock.advance(601)
        camera.password, camera.refused = "wrong", 0
        assert await open_once(camera, budget) is None

    asyncio.run(scenario())


def test_a_login_that_worked_is_told_with_the_time_until_when(budget):
    async def scenario():
        camera = LockingCamera("wrong")
        session = LoginSession(StubSession(camera, SOURCE), SOURCE, budget)
        await session.describe()
        budget.clock.advance(3600)
        await session.close()
        camera.password = "other"
        session = LoginSession(StubSession(camera, SOURCE), SOURCE, budget)
        with pytest.raises(SourceError) as raised:
            await session.describe()
        assert raised.value.reason == "login_revoked"
        assert raised.value.message == "the camera refuses the login that worked until 2025-06-15T16:06:40Z"

    asyncio.run(scenario())


def test_a_login_that_is_refused_in_mid_stream_counts(budget):
    async def scenario():
        camera = LockingCamera("wrong")
        for expected in ("login_revoked", "login_revoked", "login_paused"):
            inner = StubSession(camera, SOURCE)
            session = LoginSession(inner, SOURCE, budget)
            budget.take = lambda _source: True
            session._note_worked = lambda: asyncio.sleep(0)
            await session.describe()
            inner.ended.set_exception(SourceError("login_revoked"))
            with pytest.raises(SourceError) as raised:
                await session.wait_ended()
            assert raised.value.reason == expected
            await session.close()

    asyncio.run(scenario())


def test_sessions_wait_for_the_first_answers_and_then_go_on_together(budget):
    async def scenario():
        camera = LockingCamera("wrong")
        camera.answers.clear()
        openings = [asyncio.ensure_future(open_once(camera, budget)) for _ in range(20)]
        while budget.take(SOURCE):
            budget.give_up(SOURCE)
            await asyncio.sleep(0.01)
        assert camera.logins == 0
        camera.answers.set()
        assert await asyncio.gather(*openings) == [None] * 20

    asyncio.run(scenario())


@pytest.mark.parametrize("ending", ["timed_out", "not_found", "cancelled"])
def test_a_session_that_ends_before_the_login_gives_its_place_back(budget, ending):
    async def scenario():
        for _ in range(9):
            inner = StubSession(LockingCamera(), SOURCE)

            async def fail() -> None:
                if ending == "cancelled":
                    raise asyncio.CancelledError
                raise SourceError(ending)

            inner.describe = fail
            session = LoginSession(inner, SOURCE, budget)
            with pytest.raises((SourceError, asyncio.CancelledError)) as raised:
                await session.describe()
            assert getattr(raised.value, "reason", "cancelled") == ending
            await session.close()
        assert budget.check(SOURCE) is None

    asyncio.run(scenario())


def test_without_a_login_nothing_is_counted(budget):
    async def scenario():
        source = parse_source("rtsp://10.0.0.1/main")
        for _ in range(9):
            inner = StubSession(LockingCamera(), source)

            async def refuse() -> None:
                raise SourceError("unauthorized", "the camera asks for a user name and password, and none are given")

            inner.describe = refuse
            session = LoginSession(inner, source, budget)
            with pytest.raises(SourceError, match="none are given"):
                await session.describe()
            assert session.transport == "tcp"

    asyncio.run(scenario())


def test_sessions_that_worked_before_the_password_was_changed_do_not_lift_the_pause(budget):
    async def scenario():
        camera = LockingCamera("wrong")
        session = LoginSession(StubSession(camera, SOURCE), SOURCE, budget)
        await session.describe()
        camera.password = "changed"
        reasons = [await open_once(camera, budget) for _ in range(4)]
        assert reasons == ["login_revoked", "login_revoked", "login_paused", "login_paused"]
        await session.close()
        assert await open_once(camera, budget) == "login_paused"
        assert camera.refused == 3

    asyncio.run(scenario())
