"""Recording follows the desired state to the part: all wanted parts and no others."""

import pytest

from gateway import database
from gateway.devices.model import Device
from gateway.footage.recordings import add_event, forget_recording, set_override
from gateway.footage.segments import SegmentState
from gateway.tenancy.scopes import EVERY_TENANT
from tests.plugins.hls_recorder.world import NOON

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def now_ms(world) -> int:
    return round(world.clock.wall() * 1000)


def recorded_seconds(world) -> list[tuple[float, float]]:
    """Start and end of each file in seconds since noon."""
    return [(row.start_ms / 1000 - NOON, row.end_ms / 1000 - NOON) for row in world.segments()]


def test_only_devices_whose_footage_is_wanted_are_attached(world):
    assert world.output.wanted() == [world.device.id]
    set_override(world.scope, world.device.id, "off", by="Ann", now_ms=now_ms(world))
    assert world.output.wanted() == []


def test_a_gap_has_the_person_who_stopped_recording(world):
    world.attach()
    world.record(20)
    set_override(world.scope, world.device.id, "off", by="Ann", now_ms=now_ms(world))
    world.record(5)
    assert world.ended == "stopped_by_person"
    [row] = world.segments()
    assert row.state == SegmentState.CLOSED
    assert row.duration_ms <= 22_000
    [(start, end, reason, is_wanted)] = world.gaps()
    assert (start, end, reason, is_wanted) == (row.duration_ms / 1000, None, "stopped_by_person", False)
    assert world.gap_names() == ["Ann"]
    assert (world.recording.observed, world.recording.reason_code) == ("off", "stopped_by_person")
    world.check()


def test_parts_from_before_footage_was_wanted_are_not_recorded_after_a_restart(world):
    world.attach()
    world.record(20)
    set_override(world.scope, world.device.id, "off", by="Ann", now_ms=now_ms(world))
    world.record(3)
    assert world.ended
    for _ in range(14):
        world.send()
    resumed = world.clock.wall() - NOON
    set_override(world.scope, world.device.id, "on", by="Ben", now_ms=now_ms(world))
    for _ in range(4):
        world.send()
    world.attach()
    world.record(10)
    world.detach()
    first, second = recorded_seconds(world)
    # The next key frame: nothing of before is needed to see it.
    assert resumed <= second[0] <= resumed + 2
    # The gap that somebody asked for ends when somebody asked otherwise; from there to the key frame is another.
    unwanted = [gap for gap in world.gaps() if not gap[3]]
    assert unwanted == [(first[1], resumed, "stopped_by_person", False)]
    world.check()


def test_following_the_mode_again_does_not_reach_back_either(world):
    world.attach()
    world.record(20)
    set_override(world.scope, world.device.id, "off", by="Ann", now_ms=now_ms(world))
    world.record(10)
    assert world.ended
    for _ in range(10):
        world.send()
    set_override(world.scope, world.device.id, None, by="Ann", now_ms=now_ms(world))
    resumed = world.clock.wall() - NOON
    world.attach()
    world.record(10)
    world.detach()
    assert recorded_seconds(world)[1][0] >= resumed


def test_an_event_is_recorded_with_pre_roll_and_post_roll(world):
    world.change(mode="event", pre_roll_seconds=5.0, post_roll_seconds=10.0)
    assert world.output.wanted() == []
    world.attach()
    world.feed()
    assert world.ended == "no_event"
    for _ in range(60):
        world.send()
    happened = world.clock.wall()
    add_event(world.scope, world.device.id, label="door", at_ms=round(happened * 1000))
    for _ in range(4):
        world.send()
    assert world.output.wanted() == [world.device.id]
    world.attach()
    world.record(14)
    assert world.ended == "no_event"
    [(start, end)] = recorded_seconds(world)
    # From the key frame before the pre-roll on, so that its first second can be seen.
    assert happened - NOON - 5 - 2 <= start <= happened - NOON - 5
    assert happened - NOON + 10 <= end <= happened - NOON + 12
    assert world.segments()[0].sequence % 4 == 1
    assert [gap[2:] for gap in world.gaps()] == [("no_event", False), ("no_event", False)]
    assert world.recording.observed == "waiting"
    world.check()


def test_a_key_frame_long_before_the_event_is_no_step_of_the_clock(world):
    world.key_every = 20
    world.change(mode="event", pre_roll_seconds=3.0)
    world.attach()
    world.feed()
    for _ in range(38):
        world.send()
    add_event(world.scope, world.device.id, label="door", at_ms=now_ms(world))
    world.attach()
    world.record(5)
    world.detach()
    assert world.segments()[0].sequence == 21
    assert [mark.label for mark in world.marks()] == ["door"]
    assert world.gaps() == [(0, 10, "no_event", False)]
    world.check()


def test_events_that_follow_each_other_are_one_recording(world):
    world.change(mode="event", pre_roll_seconds=0.0, post_roll_seconds=10.0)
    add_event(world.scope, world.device.id, label="door", at_ms=now_ms(world))
    world.attach()
    world.record(8)
    add_event(world.scope, world.device.id, label="door", at_ms=now_ms(world))
    world.record(30)
    [(start, end)] = recorded_seconds(world)
    assert start == 0
    assert 18 <= end <= 20


def test_a_plan_starts_and_ends_recording_to_the_second(world):
    world.change(mode="scheduled", plan='{"sunday": [["12:01", "12:02"]]}')
    world.attach()
    world.feed()
    assert world.ended == "not_planned"
    for _ in range(126):
        world.send()
    assert world.output.wanted() == [world.device.id]
    world.attach()
    world.record(70)
    assert world.ended == "not_planned"
    spans = recorded_seconds(world)
    assert 58 <= spans[0][0] <= 60
    assert 120 <= spans[-1][1] <= 121.5
    world.check()


def test_parts_from_before_the_end_of_wanted_footage_are_still_recorded(world):
    world.attach()
    world.record(10)
    for _ in range(4):
        world.send()
    set_override(world.scope, world.device.id, "off", by="Ann", now_ms=now_ms(world))
    world.output.index.work()
    world.feed()
    world.clock.advance(0.5)
    world.feed()
    assert world.ended == "stopped_by_person"
    assert len(world.recorded()) == 24


def test_a_disabled_device_is_no_longer_recorded(world):
    world.attach()
    world.record(10)
    EVERY_TENANT.update(Device, enabled=False).where(Device.id == world.device.id).execute()
    world.record(4)
    assert world.ended == "device_disabled"
    assert world.gaps()[-1][2:] == ("device_disabled", False)


def test_a_deleted_device_ends_its_recorder_and_keeps_its_files_for_the_housekeeping(world):
    world.attach()
    world.record(10)
    with database.transaction():
        forget_recording(world.scope, world.device.id, world.moment())
    world.record(3)
    assert world.ended == "device_deleted"
    assert len(world.files()) == 1
    world.check()


def test_a_disk_that_fails_at_the_start_lets_in_no_unwanted_parts(world):
    world.attach()
    world.record(20)
    set_override(world.scope, world.device.id, "off", by="Ann", now_ms=now_ms(world))
    world.record(10)
    for _ in range(16):
        world.send()
    set_override(world.scope, world.device.id, "on", by="Ben", now_ms=now_ms(world))
    wanted = world.clock.wall() - NOON
    marker = world.config.recordings_dir / ".vas-storage"
    marker.rename(marker.with_suffix(".away"))
    for _ in range(3):
        world.fail_to_attach()
        world.send()
    marker.with_suffix(".away").rename(marker)
    world.attach()
    world.record(10)
    world.detach()
    assert recorded_seconds(world)[1][0] >= wanted
    world.check()
