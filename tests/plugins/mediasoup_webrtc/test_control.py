"""The control connection is reconnected without limit, every wait is limited, and invalid messages are ignored."""

import pytest

from plugins.mediasoup_webrtc import control
from plugins.mediasoup_webrtc.control import SfuControl, SfuRefused, SfuUnreachable
from plugins.mediasoup_webrtc.tokens import control_key
from tests.conftest import wait_until
from tests.factories import SFU_SECRET


@pytest.fixture
def client(sfu, media_loop, monkeypatch):
    """A client that reconnects immediately."""
    monkeypatch.setattr(control, "_MAX_PAUSE_SECONDS", 0.02)
    events, resyncs = [], []

    async def resync() -> None:
        resyncs.append(1)

    client = SfuControl(
        sfu.url,
        control_key(SFU_SECRET),
        "host:1",
        on_connected=resync,
        on_event=lambda event, data: events.append((event, data["device_id"])),
    )
    client.events, client.resyncs = events, resyncs
    client.ask = lambda method, data: media_loop.run(client.request(method, data), timeout_seconds=10)
    client.start(media_loop.loop)
    yield client
    client.close()
    client.close()


def connected(client: SfuControl) -> None:
    wait_until(lambda: client.is_connected, "the SFU is connected")


def test_the_owner_sends_its_name_and_state_after_connecting(sfu, client):
    connected(client)
    assert sfu.requests[0] == ("hello", {"owner": "host:1"})
    assert client.resyncs == [1]


def test_a_request_gets_its_answer(sfu, client):
    connected(client)
    sfu.answers["double"] = lambda data: {"value": data["value"] * 2}
    assert client.ask("double", {"value": 21}) == {"value": 42}


def test_a_refusal_has_its_code(sfu, client):
    connected(client)
    sfu.answers["ingest.open"] = lambda _: RuntimeError("no ports are left")
    with pytest.raises(SfuRefused, match=r"refused ingest\.open: no ports are left") as raised:
        client.ask("ingest.open", {})
    assert raised.value.reason == "no_ports"


def test_a_request_without_an_answer_fails_within_the_limit(sfu, client, monkeypatch):
    connected(client)
    monkeypatch.setattr(control, "_REQUEST_SECONDS", 0.05)
    sfu.answers["slow"] = lambda _: None
    with pytest.raises(SfuUnreachable, match="does not answer to slow"):
        client.ask("slow", {})
    assert client.is_connected, "one slow answer does not end the connection"
    assert client._waiting == {}


def test_a_waiting_request_fails_immediately_when_the_connection_breaks(sfu, client, media_loop):
    import asyncio

    connected(client)
    sfu.answers["slow"] = lambda _: None
    waiting = asyncio.run_coroutine_threadsafe(client.request("slow", {}), media_loop.loop)
    wait_until(lambda: "slow" in sfu.methods(), "the request has arrived")
    sfu.stop()
    with pytest.raises(SfuUnreachable):
        waiting.result(2)


def test_without_a_connection_a_request_does_not_wait(sfu, client):
    connected(client)
    sfu.stop()
    wait_until(lambda: not client.is_connected, "the loss is noticed")
    with pytest.raises(SfuUnreachable, match="not connected"):
        client.ask("x", {})


def test_a_broken_connection_is_restored_and_the_state_sent_again(sfu, client):
    connected(client)
    sfu.stop()
    wait_until(lambda: not client.is_connected, "the loss is noticed")
    sfu.start()
    wait_until(lambda: client.is_connected and len(client.resyncs) == 2, "the SFU is connected again")
    assert sfu.methods().count("hello") == 2


def test_invalid_messages_are_ignored_and_following_ones_handled(sfu, client):
    connected(client)
    for text in (
        "not json",
        "[1, 2]",
        "7",
        "null",
        '{"id": 999, "ok": true}',
        '{"id": [1], "ok": true}',
        '{"id": {}, "ok": 1}',
        '{"event": "viewers", "data": []}',
        '{"event": "viewers", "data": 7}',
        "{}",
    ):
        sfu.say(text)
    sfu.say('{"event": "viewers", "data": {"device_id": "d1"}}')
    wait_until(lambda: client.events, "the event arrives")
    assert client.events == [("viewers", "d1")]
    assert sfu.connections == 1


def test_a_wrong_key_is_logged_once_and_connecting_is_retried(sfu, media_loop, monkeypatch, caplog):
    monkeypatch.setattr(control, "_MAX_PAUSE_SECONDS", 0.01)

    async def resync() -> None:
        pass

    stranger = SfuControl(sfu.url, "wrong", "host:2", on_connected=resync, on_event=lambda *_: None)
    stranger.start(media_loop.loop)
    wait_until(lambda: stranger._failures > 5, "it was tried several times")
    stranger.close()
    assert sfu.connections == 0
    assert len([r for r in caplog.records if "cannot be reached" in r.message]) == 1


def test_an_sfu_that_refuses_the_owner_is_logged_once(sfu, client, caplog):
    connected(client)
    sfu.answers["hello"] = lambda _: RuntimeError("not you")
    sfu.stop()
    sfu.start()
    wait_until(lambda: client._failures > 5, "it was tried several times")
    assert len([r for r in caplog.records if "cannot be reached" in r.message]) == 1
