"""The topics of a broker, and the announcement of devices to Home Assistant. Pure."""

import json
import re
from dataclasses import dataclass

from gateway.plugin_api import VAS_VERSION, StreamState

ONLINE, OFFLINE = "online", "offline"
ON, OFF = "ON", "OFF"
RECORDING, DETECTION = SWITCHES = ("recording", "detection")
#: The retained topics of a device, below `{prefix}/{device_id}/`.
DEVICE_TOPICS = ("state", "connected", "motion", "recording", "detection", "event", "snapshot")
#: What is announced to Home Assistant: component and object of each entity.
ENTITIES = (
    ("sensor", "state"),
    ("binary_sensor", "connected"),
    ("binary_sensor", "motion"),
    ("sensor", "event"),
    ("camera", "snapshot"),
    ("binary_sensor", "recording"),
    ("switch", "recording"),
    ("switch", "detection"),
)
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics of one broker."""

    prefix: str = "vas"
    discovery_prefix: str = "homeassistant"

    @property
    def status(self) -> str:
        """`online` while the service is connected; its will sets `offline`."""
        return f"{self.prefix}/status"

    @property
    def notifications(self) -> str:
        """Notifications of rules for this channel, as JSON."""
        return f"{self.prefix}/notifications"

    @property
    def commands(self) -> str:
        """The subscription for commands."""
        return f"{self.prefix}/+/+/set"

    def of_device(self, device_id: str, name: str) -> str:
        """A topic of a device."""
        return f"{self.prefix}/{device_id}/{name}"

    def all_of(self, device_id: str) -> list[str]:
        """All retained topics of a device, those of discovery too."""
        own = [self.of_device(device_id, name) for name in DEVICE_TOPICS]
        return own + [self.discovery(device_id, component, entity) for component, entity in ENTITIES]

    def discovery(self, device_id: str, component: str, entity: str) -> str:
        """The topic that announces an entity of a device."""
        return f"{self.discovery_prefix}/{component}/vas_{device_id.replace('-', '')}/{entity}/config"

    def parse_command(self, topic: str) -> tuple[str, str] | None:
        """Device id and switch of a command's topic; None for any other topic."""
        start = f"{self.prefix}/"
        if not topic.startswith(start):
            return None
        parts = topic.removeprefix(start).split("/")
        if len(parts) != 3 or parts[2] != "set" or parts[1] not in SWITCHES or not _ID.fullmatch(parts[0]):
            return None
        return parts[0], parts[1]


def parse_switch(payload: object) -> bool | None:
    """`ON` or `OFF` of a command; None for anything else."""
    if not isinstance(payload, bytes | bytearray) or len(payload) > 8:
        return None
    return {b"ON": True, b"OFF": False}.get(bytes(payload).strip().upper())


def announce(
    topics: Topics, device_id: str, name: str, *, switches: tuple[str, ...] = (), has_pictures: bool = True
) -> dict[str, str]:
    """The retained messages that announce a device to Home Assistant, by topic; empty ones remove an entity."""
    found = {topics.discovery(device_id, component, entity): "" for component, entity in ENTITIES}
    device = {
        "identifiers": [f"vas_{device_id}"],
        "name": name,
        "manufacturer": "VAS",
        "model": "Camera",
        "sw_version": VAS_VERSION,
    }
    shared = {
        "availability_topic": topics.status,
        "payload_available": ONLINE,
        "payload_not_available": OFFLINE,
        "device": device,
        "origin": {"name": "VAS", "sw_version": VAS_VERSION},
    }

    def add(component: str, entity: str, label: str, **values: object) -> None:
        key = entity if component != "switch" else f"{entity}_switch"
        config = {"name": label, "unique_id": f"vas_{device_id}_{key}", **values, **shared}
        found[topics.discovery(device_id, component, entity)] = json.dumps(config, ensure_ascii=False)

    def topic(entity: str) -> str:
        return topics.of_device(device_id, entity)

    states = [state.value for state in StreamState]
    add("sensor", "state", "State", state_topic=topic("state"), device_class="enum", options=states, icon="mdi:cctv")
    add("binary_sensor", "connected", "Connected", state_topic=topic("connected"), device_class="connectivity")
    add("binary_sensor", "motion", "Motion", state_topic=topic("motion"), device_class="motion")
    add(
        "sensor",
        "event",
        "Last event",
        state_topic=topic("event"),
        value_template="{{ value_json.summary }}",
        json_attributes_topic=topic("event"),
        icon="mdi:bell",
    )
    add("binary_sensor", "recording", "Recording", state_topic=topic("recording"), icon="mdi:record-rec")
    if has_pictures:
        add("camera", "snapshot", "Last snapshot", topic=topic("snapshot"))
    for switch in switches:
        label = f"{switch.capitalize()} switch"
        add(
            "switch",
            switch,
            label,
            state_topic=topic(switch),
            command_topic=f"{topic(switch)}/set",
            payload_on=ON,
            payload_off=OFF,
        )
    return found
