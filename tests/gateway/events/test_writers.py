"""Every fact that is an event is recorded with it, in one transaction."""

import pytest

from gateway import database
from gateway.captures.bookmark_changes import create_bookmark, delete_bookmark, restore_bookmark
from gateway.captures.bookmarks import BookmarkValues
from gateway.captures.snapshots import NewSnapshot, save_snapshot
from gateway.clock import utc_now
from gateway.device_bin import discard_device, restore_device
from gateway.events import bell
from gateway.events.model import Event, record_event
from gateway.footage.gap_rows import add_gap, close_gaps, open_gap
from gateway.footage.recordings import add_event, claim_recording, find_recording, observe_recording, set_override
from gateway.footage.segments import Fence
from gateway.inventory import DeviceValues, replace_device
from gateway.jobs import attempts
from gateway.jobs.attempts import claim_job, end_cancelled, fail_job, finish_job, hand_back, heartbeat_job
from gateway.jobs.model import create_job, remove_job, request_cancel
from gateway.tenancy.scopes import EVERY_TENANT
from tests.factories import make_device

pytestmark = pytest.mark.usefixtures("bound_database")


@pytest.fixture
def device(bound_database, scope, box):
    return make_device(scope, box, name="Gate")


@pytest.fixture
def fence(device):
    settings = claim_recording(device.id, "worker")
    return Fence(settings.recording_id, settings.fencing_token)


@pytest.fixture
def shown(monkeypatch):
    """The passing facts that were sent."""

    class StubBell:
        def __init__(self):
            self.shown = []

        def ring(self):
            """Nobody listens."""

        def show(self, fact):
            self.shown.append(fact)

    stub = StubBell()
    monkeypatch.setattr(bell._Hung, "bell", stub)
    return stub.shown


def events(kind):
    with database.session():
        return list(EVERY_TENANT.select(Event).where(Event.kind == kind).order_by(Event.id))


def job_event():
    (event,) = events("job")
    return event.change, event.to_state, event.reason_code


def test_a_device_is_created_changed_deleted_and_restored(device, scope, box):
    replace_device(scope, device.id, DeviceValues(name="Yard", source_url=None, start_mode="manual"), box)
    discard_device(scope, device.id, by_name="Ann")
    restore_device(scope, device.id, bin_hours=1, by_name="Ben")
    found = events("device")
    assert [(event.label, event.by_name) for event in found] == [
        ("created", None),
        ("changed", None),
        ("deleted", "Ann"),
        ("restored", "Ben"),
    ]
    assert found[1].to_fact().data == {"fields": ["name"]}
    assert found[2].text == "Device deleted: Yard"


def test_a_recorder_reports_its_transitions_and_a_persons_wishes(device, scope, fence):
    observe_recording(fence.recording_id, fence.token, "recording")
    observe_recording(fence.recording_id, fence.token, "recording")
    observe_recording(fence.recording_id, fence.token, "interrupted", reason="disk_full")
    set_override(scope, device.id, "off", by="Ann", now_ms=1)
    found = [(event.from_state, event.to_state, event.reason_code, event.by_name) for event in events("recording")]
    assert found == [
        ("off", "recording", None, None),
        ("recording", "interrupted", "disk_full", None),
        (None, None, None, "Ann"),
    ]


def test_a_gap_in_wanted_footage_begins_and_ends(fence):
    open_gap(fence, 10_000, "stream_lost", is_wanted=True)
    (event,) = events("gap")
    assert (event.change, event.start_ms, event.end_ms, event.reason_code) == ("began", 10_000, None, "stream_lost")
    close_gaps(fence, 15_000)
    (event,) = events("gap")
    assert (event.change, event.end_ms) == ("ended", 15_000)
    open_gap(fence, 20_000, "schedule", is_wanted=False)
    close_gaps(fence, 25_000)
    assert len(events("gap")) == 1
    add_gap(fence, 30_000, 31_000, "too_slow")
    assert (events("gap")[-1].start_ms, events("gap")[-1].end_ms) == (30_000, 31_000)


def test_a_gap_whose_footage_was_there_after_all_has_no_length(fence):
    open_gap(fence, 10_000, "stream_lost", is_wanted=True)
    close_gaps(fence, 9_000)
    (event,) = events("gap")
    assert (event.start_ms, event.end_ms) == (10_000, 10_000)


def test_a_mark_of_the_api_is_an_event_and_one_of_a_plugin_is_not(device, scope):
    add_event(scope, device.id, label="door", at_ms=5_000, note="opened")
    add_event(scope, device.id, label="motion", at_ms=6_000, source="eyes")
    assert [(event.label, event.text, event.start_ms) for event in events("mark")] == [("door", "opened", 5_000)]
    assert find_recording(scope, device.id).event_until_ms == 16_000


def test_a_job_is_one_event_from_its_creation_to_its_end(device, scope, shown):
    job, _ = create_job(scope, "export", {}, device_id=device.id, created_by="Ann")
    assert job_event() == ("began", "queued", None)
    attempt = claim_job(job.id, "worker")
    assert job_event() == ("changed", "running", None)
    heartbeat_job(attempt, 0.5, "copying")
    assert shown[-1]["data"] == {"job_id": job.id, "kind": "export", "progress": 0.5, "stage": "copying"}
    hand_back(attempt)
    assert job_event() == ("changed", "queued", None)
    finish_job(claim_job(job.id, "worker"), {}, keep_hours=1)
    assert job_event() == ("ended", "done", None)
    (event,) = events("job")
    assert (event.label, event.reference, event.by_name) == ("export", job.id, "Ann")
    remove_job(scope, job.id)
    assert job_event()[1] == "deleted"


def test_a_job_that_fails_or_is_cancelled_says_so(scope):
    job, _ = create_job(scope, "export", {})
    fail_job(claim_job(job.id, "worker"), "disk_full", keep_hours=1)
    assert job_event() == ("ended", "failed", "disk_full")
    other, _ = create_job(scope, "export", {})
    request_cancel(scope, other.id, keep_hours=1)
    third, _ = create_job(scope, "export", {})
    end_cancelled(claim_job(third.id, "worker"), keep_hours=1)
    assert [event.to_state for event in events("job")] == ["failed", "cancelled", "cancelled"]


def test_a_job_whose_worker_dies_is_queued_again_and_fails_at_last(scope):
    job, _ = create_job(scope, "export", {})
    for _ in range(attempts.MAX_ATTEMPTS):
        claim_job(job.id, "worker")
        at = database.now()
        attempts.recover_lost_jobs(at.replace(year=at.year + 1), keep_hours=1)
    assert job_event() == ("ended", "failed", "worker_lost")


def test_snapshots_of_people_are_events_and_those_of_schedules_pass(device, scope, shown):
    for number, kind in enumerate(("live", "scheduled"), 1):
        snapshot_id = f"{number}1111111-1111-4111-8111-111111111111"
        save_snapshot(scope, NewSnapshot(snapshot_id, device.id, "Gate", 1_000, kind, 1, 1, 1, f"{number}.jpg"))
    (event,) = events("snapshot")
    assert event.snapshot_id == event.reference
    assert [fact["data"]["kind"] for fact in shown] == ["scheduled"]


def test_a_snapshot_that_exists_already_is_no_event(device, scope):
    new = NewSnapshot("11111111-1111-4111-8111-111111111111", device.id, "Gate", 1, "live", 1, 1, 1, "a.jpg")
    assert save_snapshot(scope, new)
    assert not save_snapshot(scope, new)
    assert len(events("snapshot")) == 1


def test_bookmarks_report_who_changed_them(device, scope):
    bookmark_id = "11111111-1111-4111-8111-111111111111"
    values = BookmarkValues(1_000, "Van")
    create_bookmark(scope, bookmark_id, values, device_id=device.id, device_name="Gate", asked={}, created_by="Ann")
    delete_bookmark(scope, bookmark_id, by="Ben")
    restore_bookmark(scope, bookmark_id, undo_minutes=5, by="Eve")
    assert [(event.label, event.by_name, event.text) for event in events("bookmark")] == [
        ("created", "Ann", "Bookmark created: Van"),
        ("deleted", "Ben", "Bookmark deleted: Van"),
        ("restored", "Eve", "Bookmark restored: Van"),
    ]


def test_a_fact_that_is_rolled_back_leaves_no_event(device, scope):
    def fail():
        with database.transaction():
            create_job(scope, "export", {})
            record_event(scope.tenant_id, device.id, "motion", at=utc_now())
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert events("job") == events("motion") == []
