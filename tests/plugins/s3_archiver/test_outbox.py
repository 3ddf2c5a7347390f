"""The outbox: nothing is missed, nothing is done twice, failures come again."""

from datetime import timedelta

from gateway import database
from gateway.captures.snapshots import Snapshot
from gateway.footage.segments import SegmentState
from gateway.media import parse_segment_key
from gateway.tenancy.scopes import EVERY_TENANT
from plugins.s3_archiver.failures import StoreFailure
from plugins.s3_archiver.settings import CLIPS, EXPORTS, SEGMENTS, SNAPSHOTS
from plugins.s3_archiver.upload import Uploaded
from tests.footage import MINUTE_MS, NOON_MS, segment_bytes

DONE = Uploaded(4, "sha256:" + "ab" * 32)


def test_what_has_no_copy_waits_small_objects_first(world):
    first, second = world.footage.add(NOON_MS), world.footage.add(NOON_MS + MINUTE_MS, sequence=5)
    snapshot, clip, export = world.add_snapshot(), world.add_clip(), world.add_export()
    outbox = world.outbox()
    found = outbox.pending([])
    assert [item.identity for item in found] == [(SNAPSHOTS, snapshot.id), (CLIPS, clip.id), (EXPORTS, export.id)]
    assert all(item.path.stat().st_size == item.size for item in found)
    for item in found:
        outbox.save(item, DONE)
    assert [item.identity for item in outbox.pending([])] == [(SEGMENTS, first), (SEGMENTS, second)]
    assert [item.identity for item in outbox.pending([(SEGMENTS, first)])] == [(SEGMENTS, second)]


def test_open_segments_and_what_is_archived_already_do_not_wait(world):
    world.footage.add(NOON_MS, state=SegmentState.OPEN)
    world.footage.add(NOON_MS + MINUTE_MS, sequence=5, is_archived=True)
    assert world.outbox().pending([]) == []


def test_a_saved_segment_has_a_verified_copy(world):
    segment_id = world.footage.add(NOON_MS)
    outbox = world.outbox()
    (item,) = outbox.pending([])
    assert item.path.read_bytes() == segment_bytes()
    outbox.save(item, Uploaded(item.size, "sha256:" + "cd" * 32))
    assert world.archived_segments() == [segment_id]
    assert world.outbox().pending([]) == []  # also after a restart


def test_each_kind_is_chosen_for_itself(world):
    world.footage.add(NOON_MS)
    world.add_snapshot()
    world.add_clip()
    world.add_export()
    for kind in (SEGMENTS, SNAPSHOTS, CLIPS, EXPORTS):
        assert [item.kind for item in world.outbox(kind).pending([])] == [kind]


def test_time_lapses_are_exports(world):
    world.add_export(kind="time_lapse")
    assert [item.kind for item in world.outbox().pending([])] == [EXPORTS]


def test_a_clip_that_is_made_again_is_archived_again_under_another_key(world):
    clip = world.add_clip()
    outbox = world.outbox()
    (item,) = outbox.pending([])
    outbox.save(item, DONE)
    assert outbox.pending([]) == []
    world.write_clip(clip, f"{clip.id}-2.mp4", b"again")
    (again,) = outbox.pending([])
    assert again.key != item.key
    outbox.save(again, DONE)
    assert outbox.pending([]) == []
    assert len(world.rows()) == 1


def test_deleted_snapshots_do_not_wait(world):
    row = world.add_snapshot()
    with database.transaction():
        EVERY_TENANT.update(Snapshot, deleted_at=world.clock.now()).where(Snapshot.id == row.id).execute()
    assert world.outbox().pending([]) == []


def test_a_failed_object_comes_again_after_pauses_that_grow_also_after_a_restart(world):
    world.add_snapshot()
    for attempts, shortest in ((1, 0.7), (2, 1.4), (3, 2.9)):
        (item,) = world.outbox().pending([])
        world.outbox().postpone(item, StoreFailure("file_missing"))
        (row,) = world.rows()
        assert (row.state, row.attempts, row.error_code) == ("waiting", attempts, "file_missing")
        assert world.outbox().pending([]) == []
        world.clock.seconds += shortest
        assert world.outbox().pending([]) == []
        world.clock.seconds += shortest * 0.5
    (item,) = world.outbox().pending([])
    world.outbox().save(item, DONE)
    (row,) = world.rows()
    assert (row.state, row.attempts, row.error_code, row.checksum) == ("archived", 0, None, f"sha256:{'ab' * 32}")


def test_a_failed_segment_lets_the_others_pass(world):
    bad, good = world.footage.add(NOON_MS), world.footage.add(NOON_MS + MINUTE_MS, sequence=5)
    outbox = world.outbox()
    outbox.postpone(outbox.pending([])[0], StoreFailure("file_differs"))
    assert [item.subject_id for item in outbox.pending([])] == [good]
    world.clock.seconds += 2
    assert [item.subject_id for item in outbox.pending([])] == [bad, good]


def test_failed_segments_of_a_whole_page_do_not_hide_the_rest(world):
    ids = [world.footage.add(NOON_MS + at * MINUTE_MS, sequence=1 + 5 * at) for at in range(5)]
    outbox = world.outbox()
    for item in outbox.pending([])[:4]:
        outbox.postpone(item, StoreFailure("file_differs"))
    assert [item.subject_id for item in outbox.pending([], limit=2)] == [ids[4]]


def test_retry_now_ends_all_pauses(world):
    world.add_snapshot()
    world.footage.add(NOON_MS)
    outbox = world.outbox()
    outbox.postpone(outbox.pending([])[0], StoreFailure("file_missing"))
    outbox.postpone(outbox.pending([])[0], StoreFailure("file_missing"))
    assert outbox.pending([]) == []
    outbox.retry_now()
    assert [item.kind for item in outbox.pending([])] == [SNAPSHOTS]


def test_the_backlog_counts_everything_that_waits_also_what_failed(world):
    world.footage.add(NOON_MS)
    world.add_snapshot(b"12345")
    world.add_clip(b"1234567")
    world.add_export()
    outbox = world.outbox()
    found = outbox.count()
    assert found.bytes == len(segment_bytes()) + 12
    assert found.objects == 3
    assert int(found.oldest_at.timestamp() * 1000) == NOON_MS
    for item in outbox.pending([]):
        outbox.postpone(item, StoreFailure("file_missing"))
    assert outbox.count().objects == 3
    assert outbox.count().failing == 3
    assert world.outbox(SEGMENTS).count().objects == 0


def test_an_empty_backlog(world):
    found = world.outbox().count()
    assert (found.bytes, found.objects, found.oldest_at, found.failing) == (0, 0, None, 0)


def test_keys_are_by_tenant_device_day_and_hour_and_no_capture_looks_like_a_segment(world):
    world.footage.add(NOON_MS)
    world.add_snapshot()
    outbox = world.outbox()
    (snapshot,) = outbox.pending([])
    outbox.save(snapshot, DONE)
    (segment,) = outbox.pending([])
    start = f"{world.scope.tenant_id}/{world.device_id}/"
    assert snapshot.key.startswith(f"{start}2025-06-15/15/06-40-123_snapshot_")
    assert segment.key.startswith(f"{start}2025-06-16/12/")
    assert parse_segment_key(segment.key)
    assert parse_segment_key(snapshot.key) is None


def test_devices_that_are_no_longer_chosen_are_given_up(world):
    world.footage.add(NOON_MS)
    outbox = world.outbox()
    assert outbox.pending([])
    outbox.assign({})
    assert outbox.pending([]) == []
    assert outbox.count().bytes == 0
    with database.session():
        assert world.footage.segments()[0].is_archived == 0


def test_times_are_those_of_the_clock_that_is_passed_in(world):
    world.add_snapshot()
    world.clock.seconds += timedelta(days=3).total_seconds()
    outbox = world.outbox()
    outbox.save(outbox.pending([])[0], DONE)
    assert world.rows()[0].archived_at == world.clock.now()
