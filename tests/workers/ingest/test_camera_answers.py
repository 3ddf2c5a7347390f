"""Cameras whose answers are those of real ones: they run, or the reason of the end says what is wrong."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from urllib.parse import quote

import pytest

from gateway.devices.login_budget import LoginBudget
from gateway.redis_client import connect_redis
from gateway.states import REASONS
from tests.cameras.counter import CounterCamera
from tests.cameras.odd_answers import GuardedCamera, OneUrlCamera, RefusingCamera
from tests.cameras.rtsp import Reply
from tests.workers.ingest.watching import Watched, see, started, watch
from tests.workers.rtsp.test_login import MD5, PASSWORD, SHA, USER, Guard
from tests.workers.rtsp.test_urls import CAMERAS as URLS

pytestmark = pytest.mark.integration

BASIC = 'Basic realm="camera"'
LOGINS = {
    "SHA-256 alone": Guard(SHA),
    "MD5, then SHA-256": Guard(MD5, SHA),
    "SHA-256, then MD5": Guard(SHA, MD5),
    "Basic, then Digest": Guard(BASIC, MD5),
    "qop": Guard('Digest realm="camera", nonce="n0", qop="auth,auth-int"'),
    "MD5-sess": Guard('Digest realm="camera", nonce="n0", algorithm=MD5-sess, qop="auth"'),
    "a realm with a comma and quotes": Guard(
        'Digest realm="a, \\"b\\" c", nonce="n0", algorithm=MD5', realm='a, "b" c'
    ),
    "Basic alone": Guard(BASIC),
}


async def reason_of(url: str, **options) -> str:
    """The code of the reason for which a session ends."""
    async with watch(url, **options) as watched:
        return (await watched.until_ended()).code


def see_urls(cameras: Sequence[CounterCamera], urls: Callable[[], Iterable[str]], frames: int = 3) -> list[Watched]:
    """Watch cameras at the same time; `urls` are known when they have their ports."""

    async def test() -> list[Watched]:
        return await asyncio.gather(*(see(url, frames) for url in urls()))

    with started(cameras):
        return asyncio.run(test())


def login_url(camera: GuardedCamera, password: str = PASSWORD) -> str:
    return camera.url.replace("rtsp://", f"rtsp://{quote(USER, safe='')}:{quote(password, safe='')}@")


@pytest.mark.parametrize("methods", [("DESCRIBE", "SETUP", "PLAY"), ("SETUP", "PLAY")])
def test_logins_of_every_kind_run(methods):
    cameras = [GuardedCamera(guard, methods) for guard in LOGINS.values()]
    see_urls(cameras, lambda: map(login_url, cameras))
    for name, camera in zip(LOGINS, cameras, strict=True):
        assert (camera.connections, camera.refused) == (1, 0), name
        assert camera.requests.count("TEARDOWN") == 1, name


PASSWORDS = ["p@ss:w/rd", "a#b?c%d", "blank in it", "é", "p%40ss", "x" * 63, '"quoted"\\', "+&=!$^[]|", "user=a_pw=b"]


@pytest.mark.parametrize("challenge", [MD5, BASIC])
def test_passwords_as_people_have_them_run_and_stay_secret(challenge, caplog):
    caplog.set_level(logging.DEBUG)
    cameras = [GuardedCamera(Guard(challenge, password=password)) for password in PASSWORDS]
    found = see_urls(cameras, lambda: map(login_url, cameras, PASSWORDS))
    for password, camera, watched in zip(PASSWORDS, cameras, found, strict=True):
        assert (camera.connections, camera.refused) == (1, 0), password
        if len(password) > 1:
            shown = repr((watched.events, watched.ingest.facts)) + caplog.text
            assert password not in shown
            assert quote(password, safe="") not in shown


STATUSES = {
    "400": ("request_refused",) * 3,
    "405": ("request_refused",) * 3,
    "406": ("no_video", "request_refused", "request_refused"),
    "415": ("no_video",) * 3,
    "451": ("request_refused",) * 3,
    "453": ("too_many_connections",) * 3,
    "454": ("not_found", "session_lost", "session_lost"),
    "457": ("request_refused",) * 3,
    "461": ("transport_refused",) * 3,
    "503": ("too_many_connections",) * 3,
    "551": ("option_refused",) * 3,
    "301": ("redirected",) * 3,
    "500": ("camera_error",) * 3,
}
METHODS = ("DESCRIBE", "SETUP", "PLAY")


def test_what_the_camera_says_is_the_reason():
    cases = [
        (status, method, reason)
        for status, reasons in STATUSES.items()
        for method, reason in zip(METHODS, reasons, strict=True)
    ]
    cameras = [RefusingCamera({method: Reply(int(status))}) for status, method, _ in cases]

    async def test() -> list[str]:
        return await asyncio.gather(*(reason_of(camera.url) for camera in cameras))

    with started(cameras):
        found = asyncio.run(test())
    assert {case[:2]: code for case, code in zip(cases, found, strict=True)} == {case[:2]: case[2] for case in cases}
    assert all(camera.connections == 1 for camera in cameras)
    assert all(REASONS[code].remedy for code in found)


def test_a_login_that_is_refused_after_it_worked_says_so_with_the_time():
    logins = LoginBudget(connect_redis("redis://127.0.0.1:1"), "secret")
    guard = Guard(MD5)

    async def test() -> object:
        async with watch(login_url(camera), logins=logins) as first:
            await first.until_frames(5)
        guard.password = "changed"
        async with watch(login_url(camera), logins=logins) as second:
            return await second.until_ended()

    with GuardedCamera(guard) as camera:
        reason = asyncio.run(test())
        assert camera.refused == 1
    assert reason.code == "login_revoked"
    assert "until" in reason.message or "worked" in reason.message


def test_urls_as_cameras_write_them_run():
    wanted = {name: urls for name, urls in URLS.items() if "10.1.2.3" not in urls[3]}
    cameras = [OneUrlCamera(*urls) for urls in wanted.values()]
    see_urls(cameras, lambda: [camera.url for camera in cameras])
    for name, camera in zip(wanted, cameras, strict=True):
        assert camera.connections == 1, name
        assert camera.requests.count("TEARDOWN") == 1, name
        assert not [url for url in camera.urls if "@" in url], name
