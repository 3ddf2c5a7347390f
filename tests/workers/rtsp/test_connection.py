"""Connecting: to the checked addresses alone, encrypted as the device says, and the reason where it fails."""

import asyncio
import errno
import socket
import ssl

import pytest

from gateway.devices.sources import parse_source
from gateway.sources import tls
from gateway.sources.dialing import _explain
from gateway.sources.tls import TlsTrust
from tests.workers.rtsp.camera import (
    CALM,
    Answer,
    ScriptedCamera,
    interleaved,
    play,
    reason_of,
    rtp,
    run,
    session_of,
)
from tests.workers.rtsp.certificates import make_certificate
from workers.rtsp import connection as connection_module
from workers.rtsp.session import RtspSession, RtspTarget


def free_port() -> int:
    with socket.socket() as item:
        item.bind(("127.0.0.1", 0))
        return item.getsockname()[1]


def target_of(port: int, *addresses: str, host: str = "127.0.0.1", scheme: str = "rtsp", **options) -> RtspTarget:
    return RtspTarget(parse_source(f"{scheme}://{host}:{port}/live"), addresses or ("127.0.0.1",), **options)


async def describe_reason(target: RtspTarget, **options):
    async with session_of(target, **options) as session:
        return await reason_of(session.describe())


def test_nobody_listens():
    run(lambda: check(target_of(free_port()), "refused"))


async def check(target: RtspTarget, reason: str, **options) -> None:
    assert (await describe_reason(target, **options)).reason == reason


def test_without_a_checked_address_there_is_no_look_up():
    run(lambda: check(RtspTarget(parse_source("rtsp://localhost/x"), ()), "unknown_host"))


def test_a_name_among_the_addresses_is_not_looked_up(monkeypatch):
    """The loop would ask the resolver: whoever passes names has skipped the policy."""

    async def test():
        asked = []

        async def look_up(self, host, *arguments, **options):
            asked.append(host)
            raise socket.gaierror(socket.EAI_NONAME, "no")

        monkeypatch.setattr(asyncio.get_running_loop().__class__, "getaddrinfo", look_up)
        async with ScriptedCamera() as camera, session_of(camera.target()) as session:
            await session.describe()
        assert asked == []

    run(test)


def test_the_address_counts_not_the_name():
    """The name resolves nowhere, the checked address answers."""

    async def test():
        async with ScriptedCamera() as camera:
            source = parse_source(f"rtsp://camera.invalid:{camera.port}/live")
            async with session_of(RtspTarget(source, ("127.0.0.1",))) as session:
                description = await session.describe()
                assert description.tracks[0].control == f"rtsp://camera.invalid:{camera.port}/live/trackID=0"
                assert session.address == "127.0.0.1"

    run(test)


def test_the_next_address_is_tried():
    async def test():
        async with (
            ScriptedCamera() as camera,
            session_of(camera.target(addresses=("127.0.0.9", "127.0.0.1"))) as session,
        ):
            await session.describe()
            assert session.address == "127.0.0.1"

    run(test)


def test_of_several_failures_the_one_that_says_most_is_told(monkeypatch):
    async def test():
        failures = {
            "a": OSError(errno.EHOSTUNREACH, "x"),
            "b": ConnectionRefusedError(errno.ECONNREFUSED, "x"),
            "c": TimeoutError(errno.ETIMEDOUT, "x"),
        }

        async def connect(build, address, port, **options):
            raise failures[address]

        monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", connect)
        await check(target_of(1, "a", "b", "c"), "refused")
        await check(target_of(1, "c", "a"), "timed_out")

    run(test)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, "x"), "refused"),
        (OSError(errno.EHOSTUNREACH, "x"), "unreachable"),
        (OSError(errno.ENETUNREACH, "x"), "unreachable"),
        (PermissionError(errno.EPERM, "x"), "unreachable"),
        (OSError(errno.ETIMEDOUT, "x"), "timed_out"),
        (TimeoutError(errno.ETIMEDOUT, "x"), "timed_out"),
        (ConnectionResetError(errno.ECONNRESET, "x"), "closed_by_camera"),
        (socket.gaierror(socket.EAI_NONAME, "x"), "unknown_host"),
        (OSError(errno.EADDRNOTAVAIL, "no address"), "unreachable"),
        (OSError("x"), "unreachable"),
    ],
)
def test_failures_of_the_network_have_their_reasons(error: OSError, reason: str):
    assert _explain(error, is_tls=False).reason == reason


def test_a_camera_that_accepts_no_connection_in_time(monkeypatch):
    async def test():
        async def hang(*arguments, **options):
            await asyncio.Event().wait()

        monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", hang)
        error = await describe_reason(target_of(1), connect_seconds=0.01)
        assert (error.reason, error.message) == (
            "timed_out",
            "the camera did not accept a connection within 0.01 s",
        )

    run(test)


def test_a_connection_that_is_reset():
    async def test():
        async with ScriptedCamera() as camera, session_of(camera.target()) as session:
            await play(session)
            camera.writers[-1].get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00"
            )
            camera.writers[-1].transport.abort()
            error = await reason_of(session.wait_ended())
            assert (error.reason, error.message) == ("closed_by_camera", "the camera reset the connection")

    run(test)


# rtsps


@pytest.fixture
def certificate(tmp_path):
    return make_certificate(tmp_path)


@pytest.fixture
def trusted(certificate, monkeypatch):
    """The certificate of the fixture is that of a known authority."""
    context = ssl.create_default_context(cafile=str(certificate.path))
    monkeypatch.setattr(tls.ssl, "create_default_context", lambda: context)
    tls.build_context.cache_clear()
    yield certificate
    tls.build_context.cache_clear()


def test_a_certificate_that_is_signed_and_for_this_host_is_trusted(trusted):
    async def test():
        async with ScriptedCamera(tls=trusted.server) as camera, session_of(camera.target(scheme="rtsps")) as session:
            _, taken = await play(session)
            camera.write(interleaved(0, rtp(1, payload=bytes(60_000))) * 20)
            await taken.count(20)
            assert camera.requests[0].url.startswith("rtsps://")

    run(test)


def test_a_certificate_for_another_name(trusted):
    async def test():
        async with ScriptedCamera(tls=trusted.server) as camera:
            await check(target_of(camera.port, host="camera.example", scheme="rtsps"), "tls_wrong_name")
            await check(target_of(camera.port, host="127.0.0.2", scheme="rtsps"), "tls_wrong_name")

    run(test)


def test_a_certificate_of_no_known_authority(certificate):
    async def test():
        async with ScriptedCamera(tls=certificate.server) as camera:
            await check(camera.target(scheme="rtsps"), "tls_untrusted")
            assert camera.requests == []

    run(test)


def test_a_certificate_that_has_expired(tmp_path, monkeypatch):
    expired = make_certificate(tmp_path, days=-1)
    context = ssl.create_default_context(cafile=str(expired.path))
    monkeypatch.setattr(tls.ssl, "create_default_context", lambda: context)
    tls.build_context.cache_clear()

    async def test():
        async with ScriptedCamera(tls=expired.server) as camera:
            await check(camera.target(scheme="rtsps"), "tls_expired")

    run(test)
    tls.build_context.cache_clear()


def written(fingerprint: str) -> list[str]:
    pairs = ":".join(fingerprint[place : place + 2] for place in range(0, 64, 2))
    return [
        fingerprint,
        fingerprint.upper(),
        pairs,
        f"SHA256 Fingerprint={pairs}".replace(" Fingerprint", ""),
        f" {pairs} ",
    ]


def test_a_pinned_certificate_is_trusted_whatever_else_it_says(tmp_path):
    expired = make_certificate(tmp_path, days=-1, address="10.0.0.1")

    async def test():
        async with ScriptedCamera(tls=expired.server) as camera:
            for text in written(expired.fingerprint):
                trust = TlsTrust("pinned", text)
                async with session_of(camera.target(scheme="rtsps", tls=trust)) as session:
                    await session.describe()

    run(test)


def test_another_certificate_than_the_pinned_one_gets_no_request(certificate):
    async def test():
        async with ScriptedCamera(tls=certificate.server) as camera:
            await check(camera.target("user:pw", scheme="rtsps", tls=TlsTrust("pinned", "0" * 64)), "tls_changed")
            assert camera.requests == []

    run(test)


@pytest.mark.parametrize("text", [None, "", "abc", "g" * 64, "0" * 63, "0" * 40])
def test_a_fingerprint_that_is_none_is_named_before_connecting(text: str | None):
    run(lambda: check(target_of(1, scheme="rtsps", tls=TlsTrust("pinned", text)), "tls_failed"))


def test_any_certificate_may_be_trusted(tmp_path):
    wrong = make_certificate(tmp_path, days=-1, address="10.0.0.1")

    async def test():
        async with (
            ScriptedCamera(tls=wrong.server) as camera,
            session_of(camera.target(scheme="rtsps", tls=TlsTrust("any"))) as session,
        ):
            await play(session)

    run(test)


@pytest.mark.parametrize("refusal", [200, 461])
def test_an_encrypted_session_never_sends_pictures_by_udp(certificate, refusal: int):
    async def test():
        async with ScriptedCamera(tls=certificate.server) as camera:
            if refusal == 461:
                camera.scripts["SETUP"] = Answer(461)
            target = camera.target(scheme="rtsps", tls=TlsTrust("any"), transport="udp")
            async with session_of(target) as session:
                if refusal == 461:
                    assert (await reason_of(play(session))).reason == "transport_refused"
                else:
                    await play(session)
                assert session.transport == "tcp"
            assert {item["transport"] for item in camera.of("SETUP")} == {"RTP/AVP/TCP;unicast;interleaved=0-1"}

    run(test)


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_old_cameras_with_tls_1_0_are_reached_where_the_certificate_is_not_verified(certificate):
    certificate.server.minimum_version = ssl.TLSVersion.TLSv1
    certificate.server.maximum_version = ssl.TLSVersion.TLSv1
    certificate.server.set_ciphers("DEFAULT:@SECLEVEL=0")

    async def test():
        async with ScriptedCamera(tls=certificate.server) as camera:
            async with session_of(camera.target(scheme="rtsps", tls=TlsTrust("any"))) as session:
                await session.describe()
            assert (await describe_reason(camera.target(scheme="rtsps"))).reason == "tls_failed"

    run(test)


@pytest.mark.parametrize(
    "greeting", [b"RTSP/1.0 400 Bad Request\r\n\r\n", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-x\r\n", None]
)
def test_a_port_without_tls(greeting: bytes | None):
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        if greeting is not None:
            writer.write(greeting)
            await writer.drain()
        writer.close()

    async def test():
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        await check(target_of(port, scheme="rtsps"), "tls_not_spoken" if greeting else "tls_failed")
        server.close()

    run(test)


def test_rtsp_at_a_port_of_rtsps(certificate):
    async def test():
        async with ScriptedCamera(tls=certificate.server) as camera:
            error = await describe_reason(camera.target())
            assert error.reason in {"not_rtsp", "closed_by_camera"}

    run(test)


# Redirects


def redirect(camera: ScriptedCamera, location: str, status: int = 302, method: str = "DESCRIBE") -> None:
    camera.scripts[method] = Answer(status, {"Location": location})


@pytest.mark.parametrize("method", ["DESCRIBE", "OPTIONS"])
@pytest.mark.parametrize("status", [301, 302, 303, 305])
def test_a_redirect_is_followed_to_a_target_that_was_checked(status: int, method: str):
    async def test():
        async with ScriptedCamera() as first, ScriptedCamera() as second:
            redirect(first, f"rtsp://u:p@127.0.0.1:{second.port}/other", status, method)
            asked = []

            async def resolve(url: str) -> RtspTarget:
                asked.append(url)
                return second.target(path="/other")

            async with session_of(first.target("admin:pw"), resolve_redirect=resolve) as session:
                await play(session)
            assert asked == [f"rtsp://127.0.0.1:{second.port}/other"]
            assert "SETUP" in second.methods
            assert "TEARDOWN" in second.methods
            assert "SETUP" not in first.methods

    run(test)


def test_a_relative_redirect_is_completed():
    async def test():
        async with ScriptedCamera() as camera:
            redirect(camera, "/other?x=1")
            asked = []

            async def resolve(url: str) -> RtspTarget:
                asked.append(url)
                camera.scripts.clear()
                return camera.target(path="/other?x=1")

            async with session_of(camera.target(), resolve_redirect=resolve) as session:
                await session.describe()
            assert asked == [f"rtsp://127.0.0.1:{camera.port}/other?x=1"]

    run(test)


def test_redirects_without_a_policy_or_a_location_are_refused_by_name():
    async def test():
        async with ScriptedCamera() as camera:
            redirect(camera, "rtsp://127.0.0.1:1/x")
            await check(camera.target(), "redirected")
            camera.scripts["DESCRIBE"] = Answer(301)
            error = await describe_reason(camera.target())
            assert (error.reason, error.message) == (
                "redirected",
                "the camera redirects without saying where to",
            )

    run(test)


def test_redirects_in_circles_are_ended_after_three():
    async def test():
        async with ScriptedCamera() as camera:
            redirect(camera, "rtsp://127.0.0.1/x")

            async def resolve(url: str) -> RtspTarget:
                return camera.target()

            error = await describe_reason(camera.target(), resolve_redirect=resolve)
            assert (error.reason, error.message) == (
                "redirected",
                "the camera redirects more than 3 times in a row",
            )
            assert camera.connections == 4

    run(test)


@pytest.mark.parametrize("reason", ["address_not_allowed", "redirected", "unknown_host"])
def test_a_refusal_of_the_policy_is_the_reason(reason: str):
    async def test():
        async with ScriptedCamera() as camera:
            redirect(camera, "rtsp://169.254.169.254/latest")

            async def resolve(url: str) -> RtspTarget:
                raise connection_module.SourceError(reason)

            await check(camera.target(), reason, resolve_redirect=resolve)
            assert camera.connections == 1

    run(test)


@pytest.mark.parametrize(("host", "is_sent"), [("127.0.0.1", True), ("127.0.0.2", False)])
def test_the_login_goes_only_to_the_host_for_which_it_was_entered(host: str, is_sent: bool):
    async def test():
        challenge = Answer(401, {"WWW-Authenticate": 'Basic realm="x"'})
        async with ScriptedCamera() as first, ScriptedCamera(DESCRIBE=challenge) as second:
            redirect(first, "rtsp://elsewhere/x")

            async def resolve(url: str) -> RtspTarget:
                return target_of(second.port, host=host)

            async with session_of(first.target("admin:pw"), resolve_redirect=resolve) as session:
                assert (await reason_of(session.describe())).reason == "unauthorized"
            assert any("authorization" in item.headers for item in second.requests) is is_sent

    run(test)


def test_the_login_does_not_follow_from_an_encrypted_connection_to_a_plain_one(certificate):
    async def test():
        challenge = Answer(401, {"WWW-Authenticate": 'Basic realm="x"'})
        async with ScriptedCamera(tls=certificate.server) as first, ScriptedCamera(DESCRIBE=challenge) as second:
            redirect(first, "rtsp://elsewhere/x")

            async def resolve(url: str) -> RtspTarget:
                return second.target()

            target = first.target("admin:pw", scheme="rtsps", tls=TlsTrust("any"))
            async with session_of(target, resolve_redirect=resolve) as session:
                await reason_of(session.describe())
            assert not any("authorization" in item.headers for item in second.requests)

    run(test)


def test_a_redirect_at_setup_is_named():
    async def test():
        async with ScriptedCamera() as camera:
            redirect(camera, "rtsp://127.0.0.1:1/", method="SETUP")
            session = RtspSession(camera.target(), pace=CALM)
            assert (await reason_of(play(session))).reason == "redirected"
            await session.close()

    run(test)
