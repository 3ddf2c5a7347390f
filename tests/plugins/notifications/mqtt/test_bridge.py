"""A bridge and a real broker: what it shows, what it obeys, and what it forgets."""

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import paho.mqtt.client as paho
import pytest

from gateway import database
from gateway.clock import to_ms, utc_now
from gateway.events.model import change_event, record_event
from gateway.footage.recordings import find_recording
from gateway.inventory import delete_device
from plugins.notifications.deliveries import model as deliveries
from plugins.notifications.mqtt import bridge as bridges
from plugins.notifications.mqtt.bridge import BridgeParts
from plugins.notifications.mqtt.service import MqttService, note_connection
from plugins.notifications.options import Settings
from plugins.notifications.services import run_async
from tests.conftest import wait_until
from tests.factories import make_device
from tests.plugins.notifications.conftest import LOCAL
from tests.plugins.notifications.receivers import Broker


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


class Listener:
    """A client of the broker, such as Home Assistant: what it is told, by topic."""

    def __init__(self, port: int) -> None:
        self.told: dict[str, bytes] = {}
        self.log: list[tuple[str, bytes]] = []
        self.client = paho.Client(paho.CallbackAPIVersion.VERSION2)
        self.client.username_pw_set("vas", "right")
        self.client.on_connect = lambda client, *_: client.subscribe("#", qos=1)
        self.client.on_message = self._take
        self.client.reconnect_delay_set(0.2, 0.5)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()

    def _take(self, _client, _data, message) -> None:
        self.log.append((message.topic, message.payload))
        if message.payload:
            self.told[message.topic] = message.payload
        else:
            self.told.pop(message.topic, None)

    def wait(self, topic: str, payload: bytes | None) -> None:
        wait_until(lambda: self.told.get(topic) == payload, f"{topic} is {payload!r}, not {self.told.get(topic)!r}", 20)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    folder = tmp_path / "broker"
    folder.mkdir()
    broker = Broker(folder)
    yield broker
    broker.kill()


@pytest.fixture
def listener(broker) -> Iterator[Listener]:
    listener = Listener(broker.port)
    yield listener
    listener.close()


class FakePlugin:
    def __init__(self, secrets) -> None:
        self.secrets = secrets


@pytest.fixture
def service(tables, secrets, monkeypatch) -> Iterator[dict]:
    """The service in a thread; what detection was switched to is in `switched`."""
    monkeypatch.setattr(bridges, "_FIRST_PAUSE", 0.2)
    monkeypatch.setattr("plugins.notifications.mqtt.service.read_settings", lambda _: Settings(("127.0.0.0/8",)))
    found: dict = {"switched": {}}
    parts = BridgeParts(
        policy=lambda: LOCAL,
        picture=lambda scope, device_id, snapshot_id: b"\xff\xd8picture",
        detections=lambda ids: {device_id: found["switched"].get(device_id, True) for device_id in ids},
        switch_detection=lambda scope, device_id, is_on: found["switched"].update({device_id: is_on}),
        note=note_connection,
    )
    stop = threading.Event()
    service = MqttService(FakePlugin(secrets), parts)
    thread = threading.Thread(target=run_async, args=[stop, service.run])
    thread.start()
    yield found
    stop.set()
    thread.join(20)
    assert not thread.is_alive()


def test_the_whole_life_of_a_device_at_a_broker(service, broker, listener, make_channel, scope, box):
    device = make_device(scope, box, name="Gate")
    channel = make_channel("mqtt", port=broker.port)
    listener.wait("vas/status", b"online")
    topic = f"vas/{device.id}"
    listener.wait(f"{topic}/state", b"stopped")
    listener.wait(f"{topic}/recording", b"OFF")
    node = f"vas_{device.id.replace('-', '')}"
    motion = f"homeassistant/binary_sensor/{node}/motion/config"
    wait_until(lambda: motion in listener.told, "the device is announced")
    assert json.loads(listener.told[motion])["device"]["name"] == "Gate"

    event_id = record_event(scope.tenant_id, device.id, "detection", "seen", label="person", score=0.9, goes_on=True)
    listener.wait(f"{topic}/motion", b"ON")
    listener.wait(f"{topic}/snapshot", b"\xff\xd8picture")
    assert json.loads(listener.told[f"{topic}/event"])["summary"] == "person"
    change_event(scope, event_id, end_ms=to_ms(utc_now()) + 1000)
    listener.wait(f"{topic}/motion", b"OFF")

    listener.client.publish(f"{topic}/recording/set", "ON", qos=1)
    listener.wait(f"{topic}/recording", b"ON")
    recording = find_recording(scope, device.id)
    assert (recording.override, recording.override_by) == ("on", "mqtt")
    listener.client.publish(f"{topic}/detection/set", "OFF", qos=1)
    listener.wait(f"{topic}/detection", b"OFF")
    listener.client.publish(f"{topic}/recording/set", "reboot", qos=1)

    with database.transaction():
        delivery_id = deliveries.add_delivery(scope, channel, type="test", title="T", text="x", data={}, at=utc_now())
    wait_until(lambda: deliveries.find_delivery(scope, delivery_id).state == "delivered", "the delivery is delivered")
    assert json.loads(listener.told["vas/notifications"])["title"] == "T"

    delete_device(scope, device.id)
    wait_until(
        lambda: (
            not [name for name in listener.told if (node in name or device.id in name) and not name.endswith("/set")]
        ),
        "all is forgotten",
    )


def test_a_broker_that_dies_gets_everything_again(service, broker, listener, make_channel, scope, box):
    device = make_device(scope, box, name="Gate")
    channel = make_channel("mqtt", port=broker.port)
    listener.wait(f"vas/{device.id}/state", b"stopped")
    broker.kill()
    listener.told.clear()
    wait_until(lambda: find(scope, channel).failing_since, "the channel fails", 20)
    broker.start()  # without persistence: it has forgotten all
    listener.wait(f"vas/{device.id}/state", b"stopped")
    listener.wait("vas/status", b"online")
    wait_until(lambda: find(scope, channel).failing_since is None, "the channel is well")


def test_a_renamed_device_keeps_its_topics(service, broker, listener, make_channel, scope, box):
    device = make_device(scope, box, name="Gate")
    make_channel("mqtt", port=broker.port)
    node = f"homeassistant/binary_sensor/vas_{device.id.replace('-', '')}/motion/config"
    wait_until(lambda: node in listener.told, "the device is announced")
    with database.transaction() as db:
        db.execute_sql("UPDATE devices SET name = 'Door'")
    wait_until(lambda: json.loads(listener.told[node])["device"]["name"] == "Door", "the new name is announced")


def test_a_disabled_channel_leaves_nothing_behind(service, broker, listener, make_channel, scope, box):
    make_device(scope, box, name="Gate")
    channel = make_channel("mqtt", port=broker.port)
    wait_until(lambda: any(name.startswith("homeassistant/") for name in listener.told), "devices are announced")
    with database.transaction() as db:
        db.execute_sql("UPDATE notifications_channels SET enabled = FALSE")
    listener.wait("vas/status", b"offline")
    assert [name for name in listener.told if name != "vas/status"] == []
    assert channel.enabled


def test_the_will_says_offline_when_the_service_is_killed(broker, listener):
    import aiomqtt

    from plugins.notifications.mqtt.connection import build_client
    from plugins.notifications.mqtt.topics import Topics

    async def die() -> None:
        config = {"host": "127.0.0.1", "port": broker.port, "username": "vas", "tls": False}
        client = await build_client(config, "right", LOCAL, Topics())
        await client.__aenter__()
        await client.publish("vas/status", "online", retain=True, qos=1)
        client._client.socket().shutdown(2)

    asyncio.run(die())
    assert aiomqtt
    listener.wait("vas/status", b"offline")


def test_a_wrong_password_is_told_in_words(service, broker, make_channel, scope):
    channel = make_channel("mqtt", port=broker.port, password="wrong")
    wait_until(lambda: find(scope, channel).last_error, "the failure is noted", 20)
    assert "refuses" in find(scope, channel).last_error


def test_tls_with_an_authority_of_ones_own(tmp_path, certificate, service, make_channel, scope, box):
    folder = tmp_path / "tls"
    folder.mkdir()
    broker = Broker(folder, certificate=certificate)
    try:
        make_device(scope, box)
        authority = (certificate.parent / "cert.pem").read_text(encoding="ascii")
        good = make_channel("mqtt", "Good", port=broker.port, tls=True, ca_certificate=authority)
        bad = make_channel("mqtt", "Bad", port=broker.port, tls=True)
        wait_until(lambda: find(scope, good).last_ok_at, "the broker is connected by TLS", 20)
        wait_until(lambda: find(scope, bad).last_error, "an unknown authority is refused", 20)
    finally:
        broker.kill()


def find(scope, channel):
    from plugins.notifications.channels.model import find_channel

    return find_channel(scope, channel.id)
