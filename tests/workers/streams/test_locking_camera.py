"""Real sessions with a camera that counts refused logins, and locks after the fifth (R2-14)."""

import asyncio
import base64

import pytest

from gateway.config import Config
from gateway.devices.login_budget import LoginBudget
from gateway.devices.sources import parse_source
from gateway.redis_client import connect_redis
from gateway.sources.registry import SourceRegistry
from tests.factories import make_config
from tests.workers.rtsp.camera import Answer, ScriptedCamera, Seen, Taken
from workers.rtp.units import SourceError
from workers.streams.sources import SessionOpener

CHALLENGE = Answer(401, headers={"WWW-Authenticate": 'Basic realm="camera"'})


class LockingCamera(ScriptedCamera):
    """Takes the password `right`. From the sixth refused login on it refuses everybody, as for half an hour."""

    def __init__(self, step: str) -> None:
        super().__init__(**{step: self.check})
        self.refused = 0

    def check(self, seen: Seen) -> Answer:
        sent = seen.headers.get("authorization", "")
        if not sent:
            return CHALLENGE
        is_right = base64.b64decode(sent.partition(" ")[2]).decode() == "admin:right"
        if is_right and self.refused < 6:
            return self.plain(seen)
        self.refused += 1
        return CHALLENGE


async def open_once(
    camera: ScriptedCamera, config: Config, logins: LoginBudget, password: str, path: str = "/main"
) -> str:
    """Open a session as main stream, sub-stream and probe do; returns the reason, empty if it plays."""
    session = None
    try:
        opener = SessionOpener(SourceRegistry(), config, logins)
        session = await opener.open(f"rtsp://admin:{password}@127.0.0.1:{camera.port}{path}")
        description = await session.describe()
        await session.play(description.tracks[:1], Taken())
    except SourceError as error:
        return error.reason
    finally:
        if session is not None:
            await session.close()
    return ""


@pytest.mark.parametrize("step", ["DESCRIBE", "SETUP"])
def test_a_wrong_password_never_locks_the_camera_whoever_tries_it(redis_url, step):
    config = make_config(allow_loopback_sources=True)
    worker, jobs = (LoginBudget(connect_redis(redis_url), config.secret_key) for _ in range(2))

    async def scenario():
        async with LockingCamera(step) as camera:
            for _ in range(4):
                reasons = await asyncio.gather(
                    open_once(camera, config, worker, "wrong"),
                    open_once(camera, config, worker, "wrong", "/sub"),
                    open_once(camera, config, jobs, "wrong"),
                )
            assert reasons == ["login_paused"] * 3
            assert camera.refused == 3
            connections = camera.connections
            assert await open_once(camera, config, worker, "wrong") == "login_paused"
            assert camera.connections == connections, "a paused login does not even connect"
            assert await open_once(camera, config, worker, "right") == ""
            assert await open_once(camera, config, jobs, "right", "/sub") == ""
            assert camera.refused == 3

    asyncio.run(scenario())


def test_a_person_may_try_sooner(redis_url):
    config = make_config(allow_loopback_sources=True)
    logins = LoginBudget(connect_redis(redis_url), config.secret_key)

    async def scenario():
        async with LockingCamera("DESCRIBE") as camera:
            for _ in range(5):
                await open_once(camera, config, logins, "wrong")
            assert camera.refused == 3
            logins.forget(parse_source(f"rtsp://admin:wrong@127.0.0.1:{camera.port}/"))
            assert await open_once(camera, config, logins, "wrong") == "unauthorized"
            assert camera.refused == 4

    asyncio.run(scenario())
