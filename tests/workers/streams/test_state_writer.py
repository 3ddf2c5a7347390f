"""The owner's writes to the database: the fence holds, and a database that is away never stops a stream."""

import pytest

from gateway.database import DatabaseUnavailable
from gateway.errors import LeaseLost
from gateway.inventory import delete_device
from gateway.media import SourceInfo, VideoInfo
from gateway.states import StreamState, reason_for
from gateway.streams.model import claim_next_run, request_start, request_stop
from gateway.streams.queries import read_stream_record
from tests.factories import make_device
from workers.streams import state_writer
from workers.streams.state_writer import StreamStateWriter

CALLS = ("claim_next_run", "claim_run", "read_desired", "transition", "set_source_info", "read_source_info")


class Switch:
    """Turns the database off and on for the state writer."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.is_away = False
        for name in CALLS:
            monkeypatch.setattr(state_writer, name, self._guard(getattr(state_writer, name)))

    def _guard(self, call):
        def guarded(*arguments, **options):
            if self.is_away:
                raise DatabaseUnavailable("the database does not answer")
            return call(*arguments, **options)

        return guarded


@pytest.fixture
def switch(monkeypatch: pytest.MonkeyPatch) -> Switch:
    return Switch(monkeypatch)


@pytest.fixture
def device(bound_database, scope, box):
    device = make_device(scope, box)
    request_start(scope, device.id)
    return device


@pytest.fixture
def states() -> list:
    return []


@pytest.fixture
def writer(device, states, switch) -> StreamStateWriter:
    return StreamStateWriter(device.id, "worker-1", lambda *state: states.append(state))


def row(device):
    return read_stream_record(device.id)


def test_each_claim_takes_the_next_number(writer, device):
    assert writer.claim()
    assert writer.run == row(device).run == 1
    assert writer.claim()
    assert writer.run == row(device).run == 2
    assert row(device).worker == "worker-1"


def test_a_device_that_is_gone_cannot_be_claimed(bound_database, states):
    assert not StreamStateWriter("00000000-0000-4000-8000-000000000000", "w", lambda *_: None).claim()


def test_a_first_claim_needs_the_database(writer, switch):
    switch.is_away = True
    with pytest.raises(DatabaseUnavailable):
        writer.claim()


def test_states_are_written_and_reported(writer, device, states):
    writer.claim()
    writer.observe(StreamState.STARTING)
    writer.observe(StreamState.RECONNECTING, reason_for("refused"))
    assert (row(device).observed, row(device).reason_code) == (StreamState.RECONNECTING, "refused")
    assert states == [(device.id, "starting", None), (device.id, "reconnecting", "refused")]


def test_another_owners_run_stops_the_writer(writer, device, states):
    writer.claim()
    claim_next_run(device.id, "worker-2")
    with pytest.raises(LeaseLost):
        writer.observe(StreamState.RUNNING)
    with pytest.raises(LeaseLost):
        writer.read_desired()
    assert row(device).observed == StreamState.STOPPED
    assert states == []


def test_a_deleted_device_has_the_desired_state_stopped(writer, device, scope):
    writer.claim()
    delete_device(scope, device.id)
    writer.observe(StreamState.RUNNING)
    desired = writer.read_desired()
    assert (desired.is_running, desired.reason) == (False, "device_deleted")
    assert writer.is_deleted


def test_the_end_of_a_deleted_device_is_reported_once(writer, device, scope, states):
    """Plugins close what they hold for it, such as a room."""
    writer.claim()
    writer.observe(StreamState.STARTING)
    delete_device(scope, device.id)
    writer.observe(StreamState.RECONNECTING)
    for _ in range(2):
        writer.observe(StreamState.STOPPED, reason_for("device_deleted"))
    assert states == [(device.id, "starting", None), (device.id, "stopped", "device_deleted")]


def test_the_desired_state_is_read_unchanged(writer, device, scope):
    writer.claim()
    assert writer.read_desired().is_running
    request_stop(scope, device.id)
    assert not writer.read_desired().is_running


def test_an_outage_of_the_database_neither_fails_nor_reports_anything(writer, device, states, switch):
    writer.claim()
    writer.observe(StreamState.STARTING)
    switch.is_away = True
    writer.observe(StreamState.RUNNING)
    assert writer.read_desired() is None
    assert writer.read_source(1) is None
    writer.keep_source(SourceInfo(VideoInfo("h264")), 1)
    assert states == [(device.id, "starting", None)], "an unwritten state is not reported"


def test_the_last_state_is_written_when_the_database_is_back(writer, device, states, switch):
    writer.claim()
    writer.observe(StreamState.STARTING)
    switch.is_away = True
    writer.observe(StreamState.RECONNECTING, reason_for("stalled"))
    writer.observe(StreamState.RUNNING)
    switch.is_away = False
    assert writer.read_desired().is_running
    assert row(device).observed == StreamState.RUNNING
    assert states[-1] == (device.id, "running", None)
    reported = len(states)
    writer.read_desired()
    assert len(states) == reported, "once"


def test_runs_are_counted_without_the_database_and_claimed_later(writer, device, switch):
    writer.claim()
    switch.is_away = True
    assert writer.claim()
    assert writer.claim()
    assert writer.run == 3
    switch.is_away = False
    writer.read_desired()
    assert row(device).run == 3
    assert writer.claim()
    assert (writer.run, row(device).run) == (4, 4)


def test_the_next_claim_also_claims_an_unclaimed_run(writer, device, switch):
    writer.claim()
    switch.is_away = True
    writer.claim()
    switch.is_away = False
    assert writer.claim()
    assert writer.run == row(device).run == 3


@pytest.mark.parametrize("claims_of_the_other", [1, 2, 3])
def test_a_run_number_taken_by_another_owner_is_a_lost_lease(writer, device, switch, claims_of_the_other):
    """Also the very same number: both counted on from the run that both had read."""
    writer.claim()
    switch.is_away = True
    writer.claim()
    for _ in range(claims_of_the_other):
        claim_next_run(device.id, "worker-2")
    switch.is_away = False
    with pytest.raises(LeaseLost):
        writer.read_desired()
    assert row(device).worker == "worker-2"


def test_the_settings_of_the_device_are_remembered(writer, switch):
    def away():
        raise DatabaseUnavailable("the database does not answer")

    with pytest.raises(DatabaseUnavailable):
        writer.read_device(away)
    known = object()
    assert writer.read_device(lambda: known) is known
    assert writer.read_device(away) is known
    assert writer.read_device(lambda: None) is None


def test_the_source_info_is_stored_for_the_next_owner(writer, device):
    writer.claim()
    source = SourceInfo(VideoInfo("h264", 1280, 720, fps=25.0))
    writer.keep_source(source, device.source_version)
    assert writer.read_source(device.source_version) == source
    assert writer.read_source(device.source_version + 1) is None


def test_a_repeated_state_is_reported_once(writer, states):
    writer.claim()
    writer.observe(StreamState.STARTING)
    for _ in range(3):
        writer.observe(StreamState.RECONNECTING, reason_for("refused"))
    writer.observe(StreamState.RECONNECTING, reason_for("timed_out"))
    assert [state[1:] for state in states] == [
        ("starting", None),
        ("reconnecting", "refused"),
        ("reconnecting", "timed_out"),
    ]


def test_a_suspended_owner_whose_stream_was_recorded_as_stopped_writes_its_state_again(writer, device):
    writer.claim()
    writer.observe(StreamState.STARTING)
    writer.observe(StreamState.RECONNECTING, reason_for("refused"))
    state_writer.transition(device.id, StreamState.STOPPED, reason="requested")
    writer.observe(StreamState.RUNNING)
    assert row(device).observed == StreamState.RUNNING
