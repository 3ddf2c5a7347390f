"""What a broker shows of devices."""

from plugins.notifications.mqtt.states import DeviceState, MotionTracker, changed_messages, messages_of
from plugins.notifications.mqtt.topics import Topics
from tests.plugins.notifications.happenings import AT_MS, DEVICE


def test_the_states_of_a_device_are_messages():
    device = DeviceState(DEVICE, "Gate", "running", records=True)
    assert messages_of(Topics(), device, is_moving=False) == {
        f"vas/{DEVICE}/state": "running",
        f"vas/{DEVICE}/connected": "ON",
        f"vas/{DEVICE}/motion": "OFF",
        f"vas/{DEVICE}/recording": "ON",
    }


def test_detection_is_shown_where_something_detects():
    device = DeviceState(DEVICE, "Gate", "reconnecting", records=False, detects=False)
    found = messages_of(Topics(), device, is_moving=True)
    assert found[f"vas/{DEVICE}/detection"] == "OFF"
    assert found[f"vas/{DEVICE}/connected"] == "OFF"


def test_only_changes_are_published():
    assert changed_messages({"a": "1", "b": "2"}, {"a": "1", "b": "3", "c": ""}) == [("b", "3"), ("c", "")]


def test_motion_goes_on_until_the_last_event_has_ended():
    motion = MotionTracker()
    motion.note(DEVICE, 1, has_ended=False, now_ms=AT_MS)
    motion.note(DEVICE, 2, has_ended=False, now_ms=AT_MS + 1000)
    motion.note(DEVICE, 1, has_ended=True, now_ms=AT_MS + 20_000)
    assert motion.is_moving(DEVICE, AT_MS + 30_000)
    motion.note(DEVICE, 2, has_ended=True, now_ms=AT_MS + 31_000)
    assert not motion.is_moving(DEVICE, AT_MS + 40_000)


def test_a_short_event_is_seen_for_three_seconds():
    motion = MotionTracker()
    motion.note(DEVICE, 1, has_ended=True, now_ms=AT_MS)
    assert motion.is_moving(DEVICE, AT_MS + 2999)
    assert not motion.is_moving(DEVICE, AT_MS + 3000)


def test_an_event_that_never_ends_is_no_motion_after_ten_minutes():
    motion = MotionTracker()
    motion.note(DEVICE, 1, has_ended=False, now_ms=AT_MS)
    assert motion.is_moving(DEVICE, AT_MS + 599_000)
    assert not motion.is_moving(DEVICE, AT_MS + 601_000)
