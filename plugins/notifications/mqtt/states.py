"""The states of devices that a broker shows, read from the database."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gateway.devices.model import Device
from gateway.footage.recordings import Recording
from gateway.plugin_api import EveryTenantScope, StreamState, database
from gateway.schedules.recording_plan import decide
from gateway.streams.model import Stream
from plugins.notifications.happenings import Happening
from plugins.notifications.mqtt.topics import OFF, ON, Topics

#: Kinds of events that mean motion while they go on.
MOTION_KINDS = frozenset({"motion", "detection"})
#: Motion is shown for at least this long, so that a short event is seen.
_SHORTEST_MOTION_MS = 3000
#: An event that does not end is no motion any more after this.
_LONGEST_MOTION_MS = 600_000


@dataclass(slots=True)
class DeviceState:
    """A device as a broker shows it. `records` is whether it is to be recorded, `detects` None without a detector."""

    id: str
    name: str
    state: str
    records: bool
    detects: bool | None = None


def read_states(scope: EveryTenantScope, now_ms: int) -> dict[str, DeviceState]:
    """The devices of a tenant, by id; two queries."""
    with database.session():
        streams = scope.select(Stream, Stream.device_id, Stream.observed).tuples()
        observed = dict(streams)
        recordings = {row.device_id: row for row in scope.select(Recording).where(Recording.deleted_at.is_null())}
        found = {}
        for device in scope.select(Device, Device.id, Device.name, Device.enabled):
            recording = recordings.get(device.id)
            records = (
                recording is not None
                and decide(recording.desired_recording(is_enabled=device.enabled), now_ms).is_wanted
            )
            found[device.id] = DeviceState(
                device.id, device.name, observed.get(device.id, StreamState.STOPPED.value), records
            )
    return found


@dataclass(slots=True)
class MotionTracker:
    """Which devices show motion, from the events of the feed. Times in ms since 1970."""

    _open: dict[str, dict[int, int]] = field(default_factory=dict)
    _until: dict[str, int] = field(default_factory=dict)

    def note(self, device_id: str, event_id: int, *, has_ended: bool, now_ms: int) -> None:
        """Note an event of motion that was recorded or changed."""
        going = self._open.setdefault(device_id, {})
        if has_ended:
            going.pop(event_id, None)
        else:
            going.setdefault(event_id, now_ms)
        self._until[device_id] = max(self._until.get(device_id, 0), now_ms + _SHORTEST_MOTION_MS)

    def is_moving(self, device_id: str, now_ms: int) -> bool:
        """Whether a device shows motion now."""
        going = self._open.get(device_id, {})
        for event_id in [event for event, since in going.items() if now_ms - since > _LONGEST_MOTION_MS]:
            del going[event_id]
        return bool(going) or now_ms < self._until.get(device_id, 0)

    def forget(self, device_id: str) -> None:
        """Forget a device that was deleted."""
        self._open.pop(device_id, None)
        self._until.pop(device_id, None)


def messages_of(topics: Topics, device: DeviceState, *, is_moving: bool) -> dict[str, str]:
    """The retained messages of a device's states, by topic."""

    def on(value: bool) -> str:
        return ON if value else OFF

    found = {
        topics.of_device(device.id, "state"): device.state,
        topics.of_device(device.id, "connected"): on(device.state == StreamState.RUNNING),
        topics.of_device(device.id, "motion"): on(is_moving),
        topics.of_device(device.id, "recording"): on(device.records),
    }
    if device.detects is not None:
        found[topics.of_device(device.id, "detection")] = on(device.detects)
    return found


def event_message(happening: Happening) -> str:
    """The last event of a device, as JSON."""
    return json.dumps({"summary": happening.summary[:250], **happening.to_dict()}, ensure_ascii=False)


def changed_messages(published: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """The messages of `wanted` that a broker does not have yet."""
    return [(topic, payload) for topic, payload in wanted.items() if published.get(topic) != payload]


def gone_devices(known: Sequence[str], present: Mapping[str, Any]) -> list[str]:
    """The devices whose retained messages are to be removed."""
    return [device_id for device_id in known if device_id not in present]
