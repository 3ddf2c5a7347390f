"""The desired and the observed state of streams."""

import threading
from datetime import timedelta

import pytest

from gateway import database
from gateway.clock import utc_now
from gateway.errors import NotFound
from gateway.events.model import events_of, prune_events
from gateway.inventory import delete_device, find_device
from gateway.media import AudioInfo, SourceInfo, VideoInfo
from gateway.states import REASONS, StreamState
from gateway.streams.model import (
    InvalidTransition,
    claim_next_run,
    claim_run,
    request_start,
    request_stop,
    set_source_info,
    transition,
)
from gateway.streams.queries import (
    read_desired,
    read_device_settings,
    read_stream_record,
)
from tests.factories import make_device

pytestmark = pytest.mark.usefixtures("bound_database")


@pytest.fixture
def device(bound_database, scope, box):
    return make_device(scope, box)


def events(scope, device_id):
    with database.session():
        return [(e.from_state, e.to_state, e.reason_code, e.run) for e in events_of(scope, device_id, ["state"])]


def test_a_transition_is_written_with_its_event(scope, device):
    run = claim_next_run(device.id, "worker-1")
    assert transition(device.id, StreamState.STARTING, reason="requested", run=run, worker="worker-1")
    assert transition(device.id, StreamState.RUNNING, run=run)
    record = read_stream_record(device.id)
    assert (record.observed, record.reason_code, record.run, record.worker) == ("running", None, 1, "worker-1")
    assert events(scope, device.id) == [("starting", "running", None, 1), ("stopped", "starting", "requested", 1)]


def test_only_the_owner_of_the_run_writes_the_observed_state(scope, device):
    claim_run(device.id, 7)
    assert not transition(device.id, StreamState.STARTING, run=6)
    assert transition(device.id, StreamState.STARTING, run=7)
    assert not claim_run(device.id, 7)
    assert not claim_run(device.id, 3)
    assert claim_run(device.id, 8)
    assert not transition(device.id, StreamState.RUNNING, run=7)
    assert events(scope, device.id) == [("stopped", "starting", None, 7)]


def test_a_transition_checks_the_expected_state(device):
    assert not transition(device.id, StreamState.STARTING, expected=StreamState.RUNNING)
    assert transition(device.id, StreamState.STARTING, expected=StreamState.STOPPED)


def test_a_state_that_cannot_follow_is_an_error(device):
    with pytest.raises(InvalidTransition, match="'running' cannot follow 'stopped'"):
        transition(device.id, StreamState.RUNNING)


def test_the_same_state_with_another_reason_keeps_its_time(scope, device):
    transition(device.id, StreamState.STARTING)
    transition(device.id, StreamState.RECONNECTING, reason="refused")
    since = read_stream_record(device.id).since
    assert transition(device.id, StreamState.RECONNECTING, reason="refused")
    assert len(events(scope, device.id)) == 2
    assert transition(
        device.id, StreamState.RECONNECTING, reason=REASONS["timed_out"], at=utc_now() + timedelta(hours=1)
    )
    record = read_stream_record(device.id)
    assert (record.since, record.reason_code) == (since, "timed_out")
    assert len(events(scope, device.id)) == 3


def test_another_message_of_the_same_reason_is_shown_and_is_no_event(scope, device):
    for seconds in (2, 3, 4):
        message = f"the stream waits for the camera's next key frame, for {seconds} s so far"
        assert transition(device.id, StreamState.STARTING, reason="waits_for_key_frame", message=message)
    assert len(events(scope, device.id)) == 1
    assert find_device(scope, device.id).stream.reason_message.endswith("4 s so far")


def test_each_loss_counts_as_a_restart_until_the_next_start(scope, device):
    request_start(scope, device.id)
    transition(device.id, StreamState.STARTING)
    for _ in range(3):
        transition(device.id, StreamState.RECONNECTING, reason="stalled")
        transition(device.id, StreamState.RUNNING)
    assert read_stream_record(device.id).restarts == 3
    request_start(scope, device.id)
    assert read_stream_record(device.id).restarts == 3
    request_stop(scope, device.id)
    request_start(scope, device.id)
    assert read_stream_record(device.id).restarts == 0


def test_a_stopped_stream_has_no_worker(device):
    claim_next_run(device.id, "worker-1")
    transition(device.id, StreamState.STARTING)
    assert read_stream_record(device.id).worker == "worker-1"
    transition(device.id, StreamState.STOPPED, reason="requested")
    assert read_stream_record(device.id).worker is None


def test_concurrent_claims_get_different_runs(device):
    runs = []
    threads = [threading.Thread(target=lambda: runs.append(claim_next_run(device.id, "w"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(runs) == list(range(1, 9))


def test_a_change_of_the_desired_state_is_reported_once(scope, device):
    assert request_start(scope, device.id)
    assert not request_start(scope, device.id)
    assert read_desired(device.id).is_running
    assert request_stop(scope, device.id, reason="idle")
    assert not request_stop(scope, device.id)
    assert (read_desired(device.id).desired, read_desired(device.id).reason) == ("stopped", "idle")


def test_the_owner_of_a_deleted_device_finds_no_desired_state(scope, device):
    run = claim_next_run(device.id, "w")
    transition(device.id, StreamState.STARTING, run=run)
    delete_device(scope, device.id)
    assert read_desired(device.id) is None
    assert not transition(device.id, StreamState.RUNNING, run=run)
    assert not claim_run(device.id, run + 1)
    assert claim_next_run(device.id, "w") is None
    assert read_device_settings(device.id, None) is None
    with pytest.raises(NotFound):
        request_start(scope, device.id)


def test_only_the_owner_writes_the_source_info(scope, device):
    info = SourceInfo(video=VideoInfo("h264", 1920, 1080, 25.0), audio=AudioInfo("aac", 8000, 1))
    run = claim_next_run(device.id, "w")
    assert not set_source_info(device.id, info, run=run - 1, source_version=1)
    assert set_source_info(device.id, info, run=run, source_version=1)
    assert '"h264"' in find_device(scope, device.id).stream.source_info


def test_old_events_are_pruned(scope, device):
    long_ago = utc_now() - timedelta(days=40)
    transition(device.id, StreamState.STARTING, at=long_ago)
    transition(device.id, StreamState.RUNNING)
    assert prune_events(utc_now() - timedelta(days=30)) == 1
    assert [event[1] for event in events(scope, device.id)] == ["running"]
