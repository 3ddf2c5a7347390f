"""Topics, commands and announcements of devices."""

import json

import pytest

from plugins.notifications.mqtt.topics import ENTITIES, Topics, announce, parse_switch
from tests.plugins.notifications.happenings import DEVICE

TOPICS = Topics("vas", "homeassistant")


@pytest.mark.parametrize(
    ("topic", "expected"),
    [
        (f"vas/{DEVICE}/recording/set", (DEVICE, "recording")),
        (f"vas/{DEVICE}/detection/set", (DEVICE, "detection")),
        (f"vas/{DEVICE}/motion/set", None),
        (f"vas/{DEVICE}/recording", None),
        (f"vas/{DEVICE.upper()}/recording/set", None),
        ("vas/../recording/set", None),
        (f"other/{DEVICE}/recording/set", None),
        (f"vas/x/{DEVICE}/recording/set", None),
    ],
)
def test_only_known_switches_of_device_ids_are_commands(topic: str, expected: tuple | None):
    assert TOPICS.parse_command(topic) == expected


@pytest.mark.parametrize(
    ("payload", "expected"), [(b"ON", True), (b" off ", False), (b"1", None), (b"", None), (b"ON" * 9, None), (7, None)]
)
def test_a_command_is_on_or_off_and_nothing_else(payload: object, expected: bool | None):
    assert parse_switch(payload) is expected


def test_each_entity_is_announced_with_the_device_and_its_name():
    found = announce(TOPICS, DEVICE, "Gate", switches=("recording", "detection"))
    assert len(found) == len(ENTITIES)
    for topic, text in found.items():
        config = json.loads(text)
        assert topic.startswith("homeassistant/")
        assert topic.endswith("/config")
        assert config["device"]["name"] == "Gate"
        assert config["device"]["identifiers"] == [f"vas_{DEVICE}"]
        assert config["availability_topic"] == "vas/status"
        assert config["name"]
    ids = [json.loads(text)["unique_id"] for text in found.values()]
    assert len(set(ids)) == len(ids)


def test_what_is_switched_off_is_removed_by_an_empty_message():
    found = announce(TOPICS, DEVICE, "Gate", has_pictures=False)
    empty = {topic.split("/")[1] for topic, text in found.items() if text == ""}
    assert empty == {"camera", "switch"}
    assert set(found) <= set(TOPICS.all_of(DEVICE))


def test_a_name_changes_the_announcement_and_no_topic():
    before, after = announce(TOPICS, DEVICE, "Gate"), announce(TOPICS, DEVICE, 'Tür "7"')
    assert before.keys() == after.keys()
    assert before != after
