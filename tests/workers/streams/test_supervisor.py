"""The owner of a stream retries for ever, obeys the desired state, yields to another owner, and survives outputs."""

import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import redis
from dramatiq.middleware import Shutdown

from gateway.inventory import DeviceValues, delete_device, replace_device
from gateway.leases import STREAM, Leases
from gateway.media import AudioInfo, SourceInfo
from gateway.secrets import SecretBox
from gateway.states import StreamState, reason_for
from gateway.streams.bus import MediaBus
from gateway.streams.live_stats import LiveStats
from gateway.streams.model import claim_next_run, request_start
from gateway.streams.queries import read_source_info
from tests.factories import make_config
from tests.workers.world import INIT, LEASE_SECONDS, REFUSED, VIDEO, FakePipeline, parts
from workers.ffmpeg.probe import ProbeResult
from workers.ffmpeg.process import Ended
from workers.streams import supervisor
from workers.streams.supervisor import StreamSupervisor


def test_a_stream_runs_until_its_desired_state_is_stopped(world):
    during = []
    world.run([INIT, *parts(4), lambda: during.append((world.row.observed, world.owner)), world.stop])
    assert during[0][0] == StreamState.RUNNING
    assert during[0][1].startswith("worker-1/")
    assert world.states == [("starting", None), ("running", None), ("stopped", "requested")]
    assert world.loop.pipelines[0].stops == 1
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
    assert world.loop.pipelines == []
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
    assert world.loop.pipelines[0].stops == 1
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

    def stop(pipeline: FakePipeline) -> None:
        pipeline.stops += 1
        seen.append(world.owner)
        if pipeline.stops == 1:
            raise Shutdown

    monkeypatch.setattr(FakePipeline, "stop", stop)
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
    assert len(world.loop.pipelines) == 1


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


def test_a_stop_takes_effect_during_a_pause(world):
    def stop_soon(seconds: float) -> None:
        world.clock.advance(seconds)
        if world.clock.monotonic() > 1_010:
            world.stop()

    supervisor.time.sleep = stop_soon
    world.run(*[[REFUSED]] * 8)
    assert world.states[-1] == ("stopped", "requested")


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
    assert "rtsp://10.9.9.9/new" in world.commands[1]
    assert ("starting", "source_changed") in world.states
    assert world.probes == 2, "the new camera is inspected"
    assert world.bus() == [(1, 1), (1, 2), (1, 3), (2, 1), (2, 2)]


def test_a_stream_without_a_new_part_is_stalled(world):
    started = world.clock.monotonic()
    seconds = []
    world.run(
        [INIT, *parts(2), *[None] * 25],
        [lambda: seconds.append(world.clock.monotonic() - started), INIT, *parts(1), world.stop],
    )
    assert ("reconnecting", "stalled") in world.states
    assert 11 <= seconds[0] <= 13


def test_audio_alone_does_not_prevent_a_stall(world):
    world.run([INIT, *parts(2), *parts(30, frames=0)], [INIT, *parts(1), world.stop])
    assert ("reconnecting", "stalled") in world.states
    assert world.bus() == [(1, 1), (1, 2), (2, 1)]


def test_the_stall_limit_is_doubled_until_the_first_part(world):
    world.run([*[None] * 38, INIT, *parts(1), world.stop])
    assert world.states[1] == ("running", None)


def test_an_audio_track_that_may_be_the_cause_is_omitted_in_the_next_attempt(world):
    world.found = [ProbeResult(replace(VIDEO, audio=AudioInfo("g726")), None, 5)] * 3
    world.run([*[None] * 42], [INIT, *parts(2), REFUSED], [INIT, *parts(1), world.stop])
    assert ["0:a:0?" in command for command in world.commands] == [True, False, False]


def test_an_unreachable_camera_keeps_its_audio(world):
    world.found = [ProbeResult(replace(VIDEO, audio=AudioInfo("aac")), None, 5)]
    world.run([REFUSED], [INIT, *parts(1), world.stop])
    assert ["0:a:0?" in command for command in world.commands] == [True, True]
    assert world.probes == 1, "the known description is still the best guess"


def test_a_changed_picture_format_restarts_with_another_inspection(world):
    world.run([INIT, *parts(2), *parts(1, has_new_parameters=True)], [INIT, *parts(1), world.stop])
    assert ("reconnecting", "resolution_changed") in world.states
    assert world.probes == 2
    assert world.bus() == [(1, 1), (1, 2), (2, 1)], "a part that does not match its init segment is not published"


def test_b_frames_that_only_the_video_reveals_are_learnt_and_stored(world):
    world.run([INIT, *parts(1, has_b_frames=True)], [INIT, *parts(2, has_b_frames=True), world.stop])
    assert ("starting", "source_changed") in world.states
    assert read_source_info(world.id, world.device.source_version).video.has_b_frames
    assert world.pauses == []


def test_what_an_attempt_learnt_is_stored_before_ffmpeg_is_stopped(world, monkeypatch):
    stored = []

    def interrupt(pipeline: FakePipeline) -> None:
        stored.append(read_source_info(world.id, world.device.source_version).video.has_b_frames)
        raise Shutdown

    monkeypatch.setattr(FakePipeline, "stop", interrupt)
    with pytest.raises(Shutdown):
        world.run([INIT, *parts(1, has_b_frames=True)])
    assert stored[0] is True


def test_the_next_owner_uses_the_stored_source_info_without_an_inspection(world):
    world.run([INIT, *parts(1), world.stop])
    request_start(world.scope, world.id)
    world.run([INIT, *parts(1), world.stop])
    assert world.probes == 1


def test_a_camera_without_video_is_detected_by_the_inspection_and_ffmpeg_is_not_started(world):
    world.found = [ProbeResult(SourceInfo(audio=AudioInfo("aac")), reason_for("no_video"), 5)]
    world.run([INIT, *parts(1), world.stop])
    assert world.states[1] == ("reconnecting", "no_video")
    assert len(world.loop.pipelines) == 1


def test_the_lease_is_renewed_and_a_stop_obeyed_during_an_inspection(world, monkeypatch):
    renewals = []
    original = Leases.renew_many

    def renew(*arguments: Any) -> list[bool]:
        renewals.append(world.clock.monotonic())
        return original(*arguments)

    monkeypatch.setattr(Leases, "renew_many", renew)

    def inspect_for_long(on_wait: Callable[[], None]) -> None:
        for _ in range(40):
            world.clock.advance(0.25)
            on_wait()
        world.stop()
        world.clock.advance(1)
        on_wait()

    world.while_probing = inspect_for_long
    world.run()
    gaps = [later - earlier for earlier, later in itertools.pairwise(renewals)]
    assert len(renewals) >= 4
    assert max(gaps) < LEASE_SECONDS / 2
    assert world.states[-1] == ("stopped", "requested")
    assert world.loop.pipelines == []


@pytest.mark.parametrize("problem", ["program not found: ffmpeg", "program cannot be started: Permission denied"])
def test_an_ffmpeg_that_cannot_be_started_has_the_state_failed(world, problem):
    world.run([Ended(None, [], problem)], [INIT, *parts(1), world.stop])
    assert world.states[1] == ("failed", "ffmpeg_missing")


def test_media_that_cannot_be_read_is_invalid_data(world):
    world.run([INIT, Ended(-9, [], "ffmpeg wrote a box of 7 bytes")], [INIT, *parts(1), world.stop])
    assert world.states[1] == ("reconnecting", "invalid_data")


def test_an_address_that_the_settings_refuse_is_never_contacted(world):
    world.services = replace(world.services, config=make_config(allowed_source_networks=("10.0.0.0/8",)))

    def stop_soon(seconds: float) -> None:
        world.clock.advance(seconds)
        world.stop()

    supervisor.time.sleep = stop_soon
    world.run()
    assert world.states[1] == ("failed", "address_not_allowed")
    assert world.probes == 0


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
    assert "rtsp://10.9.9.9/new" in world.commands[-1]
    assert tried_at[0] - changed_at[0] < 2


def test_a_stopping_worker_releases_the_stream(world):
    def shut_down() -> None:
        raise Shutdown

    with pytest.raises(Shutdown):
        world.run([INIT, *parts(2), shut_down])
    assert world.states[-1] == ("reconnecting", "worker_stopped")
    assert world.owner is None
    assert world.output.released == [world.id]
    assert world.loop.pipelines[0].stops == 1


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
        if len(world.loop.pipelines) == 7 and not changed_at:
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
    assert "rtsp://10.9.9.9/new" in world.commands[-1]
    assert tried_at[0] - changed_at[0] < 3, "not after half a minute"


NO_PICTURE = Ended(1, ["[error] [rtsp @ 0x1] dimensions not set"])


def test_the_next_attempt_waits_longer_for_a_late_first_picture(world):
    world.run([INIT, NO_PICTURE], [INIT, *parts(1), world.stop])
    first, second = world.commands
    assert "-analyzeduration 500000 " in first
    assert "-analyzeduration 4000000 " in second


def test_a_camera_with_new_sound_is_inspected_again_and_restarted(world):
    def find_sound() -> None:
        world.loop.pipelines[-1].input_audio = "pcm_alaw"
        world.found.append(ProbeResult(replace(VIDEO, audio=AudioInfo("pcm_alaw")), None, 5))

    world.run([INIT, *parts(2), find_sound, *parts(8)], [INIT, *parts(1), world.stop])
    assert world.probes == 2
    assert ["-map 0:a:0?" in command for command in world.commands] == [False, True]
    assert ("starting", "source_changed") in world.states


def test_sound_that_a_second_inspection_does_not_find_is_not_searched_again(world):
    def hear() -> None:
        world.loop.pipelines[-1].input_audio = "pcm_alaw"

    world.run([INIT, hear, *parts(8)], [INIT, hear, *parts(8), world.stop])
    assert world.probes == 2
    assert len(world.loop.pipelines) == 2


def test_setting_the_clock_begins_a_run_at_the_next_key_part_without_restarting_ffmpeg(world):
    group = [replace(part, start=n * 0.5, is_key=n % 4 == 0) for n, part in enumerate(parts(12))]
    world.run([INIT, *group[:4], lambda: world.clock.jump(3600), *group[4:], world.stop])
    assert len(world.loop.pipelines) == 1
    assert world.bus() == [*((1, n) for n in range(5, 9)), *((2, n) for n in range(1, 5))]
    assert MediaBus(world.client).init_segment(world.id, 2) == b"init"
    newest = MediaBus(world.client).read(world.id, None)[-1]
    assert newest.end == pytest.approx(world.clock.wall(), abs=2)
    assert world.states == [("starting", None), ("running", None), ("stopped", "requested")]
