"""The owner of a stream retries for ever, obeys the desired state, yields to another owner, and survives outputs."""

from dataclasses import replace
from typing import Any

import pytest
import redis
from dramatiq.middleware import Shutdown

from gateway.inventory import DeviceValues, delete_device, replace_device
from gateway.leases import STREAM, Leases
from gateway.secrets import SecretBox
from gateway.states import StreamState, reason_for
from gateway.streams.bus import MediaBus
from gateway.streams.live_stats import LiveStats
from gateway.streams.model import claim_next_run
from gateway.streams.queries import read_source_info
from tests.workers.world import INIT, KNOWN, LEASE_SECONDS, REFUSED, VIDEO, FakeIngest, parts
from workers.ffmpeg.fmp4 import InitSegment
from workers.ingest.events import PartsEnded, PartsRestarted, SessionEnded, SourceKnown, Waiting
from workers.streams import supervisor
from workers.streams.supervisor import StreamSupervisor


def test_a_stream_runs_until_its_desired_state_is_stopped(world):
    during = []
    world.run([INIT, *parts(4), lambda: during.append((world.row.observed, world.owner)), world.stop])
    assert during[0][0] == StreamState.RUNNING
    assert during[0][1].startswith("worker-1/")
    assert world.states == [("starting", None), ("running", None), ("stopped", "requested")]
    assert world.loop.ingests[0].stops == 1
    assert world.output.released == [world.id]
    assert world.owner is None
    assert world.messages.taken == [world.id]
    assert LiveStats(world.client).read_many([world.id]) == {}


def test_parts_go_to_the_bus_in_order_with_the_runs_init_segment(world):
    world.run([INIT, *parts(3), world.stop])
    assert world.bus() == [(1, 1), (1, 2), (1, 3)]
    assert MediaBus(world.client).init_segment(world.id, 1) == b"init"


def test_a_second_message_finds_the_lease_taken_and_ends(world):
    Leases(world.client).take(STREAM, world.id, "worker-2/1", 60)
    world.run()
    assert world.loop.ingests == []
    assert world.states == []
    assert world.owner == "worker-2/1"
    assert world.row.run == 0


def test_the_message_of_a_deleted_device_ends(world):
    supervisor_of_nobody = StreamSupervisor("00000000-0000-4000-8000-000000000000", world.services)
    supervisor_of_nobody.run()
    assert world.states == []
    assert Leases(world.client).holder(STREAM, supervisor_of_nobody.device_id) is None


@pytest.mark.parametrize("last", [[], [REFUSED]], ids=["while it runs", "while it is retried"])
def test_the_stream_of_a_deleted_device_ends_as_stopped(world, last):
    """So that plugins close what they hold for it."""
    world.run([INIT, *parts(3), lambda: delete_device(world.scope, world.id), *last])
    assert world.states[-1] == ("stopped", "device_deleted")
    assert world.output.released == [world.id]


def test_an_owner_that_loses_the_lease_stops_ffmpeg_and_writes_nothing(world):
    def steal() -> None:
        world.client.set(f"vas:lease:stream:{world.id}", "worker-2/1")
        claim_next_run(world.id, "worker-2")

    world.run([INIT, *parts(4), steal])
    assert world.loop.ingests[0].stops == 1
    assert world.states == [("starting", None), ("running", None)]
    assert (world.row.observed, world.row.worker) == (StreamState.RUNNING, "worker-2")
    assert world.owner == "worker-2/1", "the lease of the other owner is not touched"
    assert world.output.released == [world.id]


def test_an_owner_notices_a_lost_lease_before_the_database_shows_another_run(world):
    def steal() -> None:
        world.client.set(f"vas:lease:stream:{world.id}", "worker-2/1")

    world.run([INIT, *parts(4), steal, *parts(20)])
    assert len(world.bus()) < 4 + LEASE_SECONDS / 0.5
    assert world.owner == "worker-2/1"


def test_a_shutdown_that_interrupts_a_slow_stop_does_not_release_the_lease_before_ffmpeg_has_ended(world, monkeypatch):
    seen = []

    def stop(pipeline: FakeIngest) -> None:
        pipeline.stops += 1
        seen.append(world.owner)
        if pipeline.stops == 1:
            raise Shutdown

    monkeypatch.setattr(FakeIngest, "stop", stop)
    with pytest.raises(Shutdown):
        world.run([INIT, *parts(2), world.stop])
    assert len(seen) == 2
    assert all(seen), "the device is owned until FFmpeg has ended"
    assert world.owner is None


def test_a_higher_run_in_the_database_is_a_lost_lease_even_without_redis(world, monkeypatch):
    def away(*_: Any) -> None:
        raise redis.ConnectionError("away")

    monkeypatch.setattr(Leases, "renew_many", away)
    world.run([INIT, *parts(4), lambda: claim_next_run(world.id, "worker-2")])
    assert world.states[-1] == ("running", None)


def test_a_lease_that_cannot_be_renewed_does_not_stop_the_stream(world, monkeypatch):
    def away(*_: Any) -> None:
        raise redis.ConnectionError("away")

    monkeypatch.setattr(Leases, "renew_many", away)
    world.run([INIT, *parts(40), world.stop])
    assert world.states[-1] == ("stopped", "requested")
    assert len(world.loop.ingests) == 1


def test_a_camera_that_refuses_is_retried_after_a_pause(world):
    world.run([REFUSED], [REFUSED], [INIT, *parts(2), world.stop])
    assert world.states == [
        ("starting", None),
        ("reconnecting", "refused"),
        ("running", None),
        ("stopped", "requested"),
    ]
    assert 0.75 < sum(world.pauses) <= 0.25 * 1.25 + 1.25
    assert world.row.run == 3, "each attempt is a run"


def test_a_session_is_told_until_when_the_earlier_ones_have_delivered(world):
    world.run([INIT, *parts(4), REFUSED], [REFUSED], [INIT, *parts(2), world.stop])
    first, second, third = world.loop.ingests
    assert first.settings.delivered_until == float("-inf")
    assert second.settings.delivered_until == third.settings.delivered_until == first.epoch + 2.0


def test_a_stop_takes_effect_during_a_pause(world):
    def stop_soon(seconds: float) -> None:
        world.clock.advance(seconds)
        if world.clock.monotonic() > 1_010:
            world.stop()

    supervisor.time.sleep = stop_soon
    world.run(*[[REFUSED]] * 8)
    assert world.states[-1] == ("stopped", "requested")


def test_the_description_of_the_camera_is_stored_when_it_is_known(world):
    better = replace(VIDEO, video=replace(VIDEO.video, has_b_frames=True))
    world.run([KNOWN, INIT, *parts(2), SourceKnown(better), *parts(1), world.stop])
    assert read_source_info(world.id, world.device.source_version) == better
    assert len(world.loop.ingests) == 1


def test_ffmpeg_that_was_started_again_continues_the_run(world):
    again = PartsRestarted(reason_for("ffmpeg_killed"))
    world.run([INIT, *parts(3), again, INIT, *parts(2, is_key=False, start=1.5), world.stop])
    assert world.bus() == [(1, n) for n in range(1, 6)]
    assert world.states == [("starting", None), ("running", None), ("stopped", "requested")]


def test_another_format_begins_a_run_with_a_key_part(world):
    other = InitSegment(b"other init", ())
    late = parts(1, is_key=False, start=1.5)
    world.run([INIT, *parts(3), other, *late, *parts(2), world.stop])
    assert world.bus() == [(1, 1), (1, 2), (1, 3), (2, 1), (2, 2)]
    assert MediaBus(world.client).init_segment(world.id, 2) == b"other init"
    assert len(world.loop.ingests) == 1, "the session goes on"


@pytest.mark.parametrize(
    ("code", "state"),
    [("ffmpeg_missing", "failed"), ("address_not_allowed", "failed"), ("invalid_data", "reconnecting")],
)
def test_the_reason_of_an_end_is_the_state(world, code, state):
    world.run([PartsEnded(reason_for(code))], [INIT, *parts(1), world.stop])
    assert world.states[1] == (state, code)


def test_a_camera_that_waits_for_its_key_frame_says_so(world):
    world.run([Waiting(reason_for("stalled")), INIT, *parts(1), world.stop])
    assert world.states[:3] == [("starting", None), ("starting", "stalled"), ("running", None)]


def test_a_changed_source_restarts_at_once_as_a_new_run(world):
    def change() -> None:
        replace_device(
            world.scope,
            world.id,
            DeviceValues(
                name=world.device.name,
                source_url="rtsp://10.9.9.9/new",
            ),
            world.box,
        )

    world.run([INIT, *parts(3), change], [INIT, *parts(2), world.stop])
    assert world.pauses == []
    assert world.urls[1] == "rtsp://10.9.9.9/new"
    assert ("starting", "source_changed") in world.states
    assert world.bus() == [(1, 1), (1, 2), (1, 3), (2, 1), (2, 2)]


def test_credentials_that_no_key_opens_are_named_and_tried_again(world):
    world.services = replace(world.services, secrets=SecretBox("quite-another-key-0123456789"))
    count = []

    def wait(seconds: float) -> None:
        world.clock.advance(seconds)
        count.append(seconds)
        if world.clock.monotonic() > 1_030:
            world.stop()

    supervisor.time.sleep = wait
    world.run()
    assert world.states[1] == ("failed", "wrong_secret_key")
    assert world.states[-1] == ("stopped", "requested")
    assert world.row.run > 3


def test_credentials_that_are_entered_again_under_the_present_key_are_tried_at_once(world):
    world.services = replace(world.services, secrets=SecretBox("quite-another-key-0123456789"))
    changed_at = []

    def wait(seconds: float) -> None:
        world.clock.advance(seconds)
        if world.clock.monotonic() > 1_020 and not changed_at:
            changed_at.append(world.clock.monotonic())
            values = DeviceValues(name=world.device.name, source_url="rtsp://10.9.9.9/new")
            replace_device(world.scope, world.id, values, world.services.secrets)

    supervisor.time.sleep = wait
    tried_at = []
    world.run([lambda: tried_at.append(world.clock.monotonic()), INIT, *parts(1), world.stop])
    assert world.urls[-1] == "rtsp://10.9.9.9/new"
    assert tried_at[0] - changed_at[0] < 2


def test_a_stopping_worker_releases_the_stream(world):
    def shut_down() -> None:
        raise Shutdown

    with pytest.raises(Shutdown):
        world.run([INIT, *parts(2), shut_down])
    assert world.states[-1] == ("reconnecting", "worker_stopped")
    assert world.owner is None
    assert world.output.released == [world.id]
    assert world.loop.ingests[0].stops == 1


def test_everything_is_released_even_if_another_owner_has_the_row(world):
    def shut_down() -> None:
        claim_next_run(world.id, "worker-2")
        raise Shutdown

    with pytest.raises(Shutdown):
        world.run([INIT, *parts(2), shut_down])
    assert world.output.released == [world.id]
    assert world.owner is None
    assert world.row.observed == StreamState.RUNNING


def test_a_device_changed_during_a_long_pause_is_retried_at_once(world):
    changed_at = []

    def wait(seconds: float) -> None:
        world.clock.advance(seconds)
        if len(world.loop.ingests) == 7 and not changed_at:
            changed_at.append(world.clock.monotonic())
            replace_device(
                world.scope,
                world.id,
                DeviceValues(name=world.device.name, source_url="rtsp://10.9.9.9/new"),
                world.box,
            )

    supervisor.time.sleep = wait
    tried_at = []
    world.run(*[[REFUSED]] * 7, [lambda: tried_at.append(world.clock.monotonic()), INIT, *parts(1), world.stop])
    assert world.urls[-1] == "rtsp://10.9.9.9/new"
    assert tried_at[0] - changed_at[0] < 3, "not after half a minute"


def test_setting_the_clock_begins_a_run_at_the_next_key_part_without_another_session(world):
    group = [replace(part, start=n * 0.5, is_key=n % 4 == 0) for n, part in enumerate(parts(12))]
    world.run([INIT, *group[:4], lambda: world.clock.jump(3600), *group[4:], world.stop])
    assert len(world.loop.ingests) == 1
    assert world.bus() == [(2, n) for n in range(1, 9)], "an hour later, the parts of the first run are too old"
    assert MediaBus(world.client).init_segment(world.id, 2) == b"init"
    newest = MediaBus(world.client).read(world.id, None)[-1]
    assert newest.end == pytest.approx(world.clock.wall(), abs=2)
    assert world.states == [("starting", None), ("running", None), ("stopped", "requested")]


PAUSED = SessionEnded(reason_for("login_paused", "the next try is at 2026-03-01T10:00:00Z"))


class FakePause:
    """A login that is paused for some looks at it."""

    def __init__(self, looks: float) -> None:
        self.looks = looks

    def check(self, source):
        assert source.host == "192.168.7.20"
        self.looks -= 1
        return None if self.looks < 0 else "a time"


def test_a_paused_login_is_waited_for_much_longer_than_other_losses(world):
    world.services = replace(world.services, logins=FakePause(600))
    began = world.clock.monotonic()
    world.run([PAUSED], [INIT, *parts(2), world.stop])
    assert 595 < world.clock.monotonic() - began < 620
    assert world.states[1] == ("reconnecting", "login_paused")
    assert len(world.loop.ingests) == 2


def test_a_person_who_asks_for_a_try_does_not_wait_for_a_paused_login(world):
    world.services = replace(world.services, logins=FakePause(float("inf")))
    began = world.clock.monotonic()
    world.run([lambda: world.services.try_now.request(world.id), PAUSED], [INIT, *parts(2), world.stop])
    assert world.clock.monotonic() - began < 10


def test_a_person_who_asks_for_a_try_does_not_wait_for_the_back_off(world):
    error = SessionEnded(reason_for("camera_error"))
    asked = []

    def ask() -> None:
        world.services.try_now.request(world.id)
        asked.append(world.clock.monotonic())

    world.run(*[[error]] * 8, [ask, error], [lambda: asked.append(world.clock.monotonic()), world.stop])
    assert asked[1] - asked[0] < 5


def test_a_changed_device_does_not_wait_for_a_paused_login(world):
    world.services = replace(world.services, logins=FakePause(float("inf")))
    change = DeviceValues("New", "rtsp://viewer:new@192.168.7.20/a", start_mode="manual")
    world.run(
        [lambda: replace_device(world.scope, world.id, change, world.box), PAUSED],
        [INIT, *parts(2), world.stop],
    )
    assert world.urls[1] == "rtsp://viewer:new@192.168.7.20/a"
