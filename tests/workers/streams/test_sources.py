"""Only checked addresses are connected to: one look-up, and redirects pass the policy too."""

import ipaddress
from typing import Any

import pytest

from gateway.devices.sources import SourcePolicy
from gateway.sources.registry import SourceRegistry
from gateway.sources.tls import TlsTrust
from tests.factories import make_config
from tests.workers.rtsp.camera import Answer, ScriptedCamera, play, reason_of, run, session_of
from workers.rtsp.target import RtspTarget
from workers.streams.sources import SessionOpener

STRICT = SourcePolicy()
LOCAL = SourcePolicy(allow_loopback=True)


def opener(policy: SourcePolicy, found: list[str] | None = None, **settings: Any) -> SessionOpener:
    """Opens sessions; each host name has the addresses `found`."""
    return SessionOpener(
        SourceRegistry(()), make_config(), None, policy=policy, resolve=lambda _: found or [], **settings
    )


async def find(url: str, policy: SourcePolicy, found: list[str], **settings: Any) -> RtspTarget:
    return await opener(policy, found, **settings).find_rtsp(url)


def test_the_addresses_of_one_look_up_are_the_target():
    async def test():
        trust = TlsTrust("any")
        found = ["10.0.0.9", "2001:db8::9"]
        target = await find("rtsps://u:p@cam.example/x", STRICT, found, transport="udp", trust=trust)
        assert target.addresses == ("10.0.0.9", "2001:db8::9")
        assert (target.source.host, target.transport, target.tls) == ("cam.example", "udp", trust)

    run(test)


@pytest.mark.parametrize(
    ("url", "found", "reason"),
    [
        ("rtsp://cam.example/x", [], "unknown_host"),
        ("rtsp://cam.example/x", ["10.0.0.1", "169.254.169.254"], "address_not_allowed"),
        ("rtsp://cam.example/x", ["::1"], "address_not_allowed"),
        ("rtsp://cam.example/x", ["64:ff9b:1::7f00:1"], "address_not_allowed"),
        ("rtsp://127.0.0.1/x", [], "address_not_allowed"),
        ("rtsp://localhost/x", ["10.0.0.1"], "address_not_allowed"),
        ("http://10.0.0.1/", [], "source_unknown"),
    ],
)
def test_what_the_policy_refuses_is_not_connected_to(url: str, found: list[str], reason: str):
    async def test():
        error = await reason_of(opener(STRICT, found).open(url))
        assert error.reason == reason

    run(test)


LOCATIONS = [
    "rtsp://127.0.0.1/x",
    "rtsp://2130706433/x",
    "rtsp://0x7f.1/x",
    "rtsp://0.0.0.0/x",
    "rtsp://[::ffff:127.0.0.1]/x",
    "rtsp://[64:ff9b:1::7f00:1]/x",
    "rtsp://localhost/x",
    "rtsp://u:p@169.254.169.254/x",
    "rtsp://inner.example/x",
    "http://10.0.0.1/x",
    "file:///etc/passwd",
    "rtsp://10.0.0.1/x?tcp",
    "rtsp://",
    "rtsp://[::1",
    "\u202e",
]


@pytest.mark.parametrize("location", LOCATIONS)
def test_redirects_do_not_lead_round_the_policy(location: str):
    async def test():
        resolve = opener(STRICT, ["127.0.0.1"]).follow_rtsp
        async with ScriptedCamera(DESCRIBE=Answer(302, {"Location": location})) as camera:
            async with session_of(camera.target("admin:pw"), resolve_redirect=resolve) as session:
                error = await reason_of(session.describe())
                assert error.reason in ("address_not_allowed", "redirected")
                assert "127" not in error.message
            assert camera.connections == 1

    run(test)


def test_a_redirect_to_an_allowed_address_is_followed():
    async def test():
        async with ScriptedCamera() as first, ScriptedCamera() as second:
            first.scripts["DESCRIBE"] = Answer(302, {"Location": f"rtsp://second.example:{second.port}/x"})
            resolve = opener(LOCAL, ["127.0.0.1"]).follow_rtsp
            async with session_of(first.target(), resolve_redirect=resolve) as session:
                await play(session)
            assert second.methods[-1] == "TEARDOWN"

    run(test)


def test_a_redirect_to_a_host_without_an_address_is_named():
    async def test():
        resolve = opener(STRICT).follow_rtsp
        assert (await reason_of(resolve("rtsp://gone.example/"))).reason == "redirected"

    run(test)


def test_the_networks_of_the_settings_bind_redirects():
    async def test():
        policy = SourcePolicy(networks=(ipaddress.ip_network("10.20.0.0/16"),))
        resolve = opener(policy).follow_rtsp
        assert (await resolve("rtsp://10.20.0.5/x")).addresses == ("10.20.0.5",)
        assert (await reason_of(resolve("rtsp://10.21.0.5/x"))).reason == "address_not_allowed"

    run(test)
