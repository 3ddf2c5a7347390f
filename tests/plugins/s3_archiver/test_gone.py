"""Objects of deleted snapshots, clips and exports go; those of what can be restored, and of expired exports, stay."""

from datetime import timedelta

import pytest

from gateway import database
from gateway.archive.removal import ObjectRemoval
from gateway.captures.bookmarks import Bookmark
from gateway.captures.removal import drop_deleted
from gateway.captures.snapshot_lists import delete_snapshot
from gateway.captures.snapshots import Snapshot
from gateway.clock import FakeClock
from gateway.errors import Conflict, NotFound
from gateway.footage.copies import ArchiveDeletion
from gateway.jobs.cleanup import delete_job, sweep_jobs
from gateway.tenancy.scopes import EVERY_TENANT, TenantScope
from plugins.s3_archiver.archive import S3Archive
from plugins.s3_archiver.failures import StoreFailure
from plugins.s3_archiver.gone import GoneObjects, delete_object
from plugins.s3_archiver.settings import EXPORTS, SNAPSHOTS
from plugins.s3_archiver.upload import upload_file
from tests.plugins.s3_archiver.world import FOOTAGE, MemoryBucket

OTHER = TenantScope("0b7d7a3e-8a7e-4c51-9a6e-5c7a7a3b9f10")


@pytest.fixture
def bucket():
    return MemoryBucket()


@pytest.fixture
def gone(world):
    return GoneObjects(clock=world.clock.now, page=2)


def archive_all(world, bucket) -> None:
    outbox = world.outbox()
    for item in outbox.pending([]):
        outbox.begin(item)
        uploaded = upload_file(
            bucket, item.path, item.key, size=item.size, content_type=item.content_type, take=lambda _count: None
        )
        outbox.save(item, uploaded)


def remove(bucket) -> int:
    """A turn of the core's removal of objects."""
    return ObjectRemoval(
        [S3Archive(lambda: FOOTAGE, open_bucket=lambda _settings: bucket)], FakeClock(2_000_000_000)
    ).turn()


def turn(gone, times: int = 3) -> int:
    return sum(gone.turn() for _ in range(times))


def waiting() -> list[str]:
    with database.session():
        return sorted(row.object_key for row in ArchiveDeletion.select())


def test_the_object_of_a_snapshot_goes_when_it_cannot_be_restored_any_more(world, bucket, gone):
    kept, deleted = world.add_snapshot(), world.add_snapshot()
    archive_all(world, bucket)
    delete_snapshot(world.scope, deleted.id)
    assert turn(gone) == 0, "it can still be restored"
    drop_deleted(world.clock.now() + timedelta(hours=1))
    assert turn(gone) == 1
    assert remove(bucket) == 1
    (key,) = bucket.content()
    assert kept.id in key
    assert [row.subject_id for row in world.rows()] == [kept.id]
    assert (turn(gone), remove(bucket)) == (0, 0)


def test_the_object_of_a_clip_goes_with_its_bookmark_and_when_it_was_made_again(world, bucket, gone):
    row = world.add_clip(b"first")
    archive_all(world, bucket)
    world.write_clip(row, f"{row.id}-2.mp4", b"second")
    archive_all(world, bucket)
    remove(bucket)
    assert list(bucket.content().values()) == [b"second"]
    with database.transaction():
        EVERY_TENANT.delete(Bookmark).where(Bookmark.id == row.id).execute()
    assert (turn(gone), remove(bucket)) == (1, 1)
    assert bucket.content() == {}


def test_the_object_of_an_earlier_clip_goes_although_the_new_one_fails_at_first(world, bucket):
    row = world.add_clip(b"first")
    archive_all(world, bucket)
    world.write_clip(row, f"{row.id}-2.mp4", b"second")
    outbox = world.outbox()
    (item,) = outbox.pending([])
    outbox.begin(item)
    outbox.postpone(item, StoreFailure("s3_changed"))
    world.clock.seconds += 3600
    archive_all(world, bucket)
    remove(bucket)
    assert list(bucket.content().values()) == [b"second"]


def test_an_export_that_a_person_deletes_goes_and_one_that_expires_stays(world, bucket, gone):
    deleted, expired = world.add_export(b"deleted"), world.add_export(b"expired")
    archive_all(world, bucket)
    delete_job(world.scope, world.config, deleted.id)
    assert (turn(gone), remove(bucket)) == (1, 1)
    later = world.clock.now() + timedelta(hours=73)
    sweep_jobs(world.config, later)
    world.clock.seconds += 73 * 3600
    assert turn(gone) == 0
    assert list(bucket.content().values()) == [b"expired"]

    delete_object(world.scope, EXPORTS, expired.id, now=later)
    assert remove(bucket) == 1
    assert bucket.content() == {}
    with pytest.raises(NotFound):
        delete_object(world.scope, EXPORTS, expired.id, now=later)


def test_an_object_cannot_be_deleted_while_it_would_come_back_or_by_others(world, bucket):
    snapshot = world.add_snapshot()
    archive_all(world, bucket)
    with pytest.raises(Conflict) as refused:
        delete_object(world.scope, SNAPSHOTS, snapshot.id, now=world.clock.now())
    assert refused.value.reason == "object_in_use"
    with database.transaction():
        EVERY_TENANT.delete(Snapshot).where(Snapshot.id == snapshot.id).execute()
    with pytest.raises(NotFound):
        delete_object(OTHER, SNAPSHOTS, snapshot.id, now=world.clock.now())
    assert waiting() == []


def test_an_upload_that_was_killed_before_its_row_leaves_nothing_when_its_subject_goes(world, bucket, gone):
    snapshot = world.add_snapshot()
    outbox = world.outbox()
    (item,) = outbox.pending([])
    outbox.begin(item)
    upload_file(bucket, item.path, item.key, size=item.size, content_type=item.content_type, take=lambda _count: None)
    assert [one.identity for one in world.outbox().pending([])] == [item.identity], "it is uploaded again"
    assert outbox.count().failing == 0
    with database.transaction():
        EVERY_TENANT.delete(Snapshot).where(Snapshot.id == snapshot.id).execute()
    assert (turn(gone), remove(bucket)) == (1, 1)
    assert bucket.content() == {}


def test_every_object_is_compared_whatever_their_number(world, bucket, gone):
    rows = [world.add_snapshot() for _ in range(7)]
    archive_all(world, bucket)
    with database.transaction():
        EVERY_TENANT.delete(Snapshot).where(Snapshot.id.in_([row.id for row in rows])).execute()
    assert turn(gone, 10) == 7
    assert world.rows() == []
    assert len(waiting()) == 7


def test_while_the_storage_is_away_deletions_wait(world, bucket, gone):
    snapshot = world.add_snapshot()
    archive_all(world, bucket)
    with database.transaction():
        EVERY_TENANT.delete(Snapshot).where(Snapshot.id == snapshot.id).execute()
    assert turn(gone) == 1

    class Away(MemoryBucket):
        def delete(self, key):
            raise StoreFailure("s3_unreachable")

    assert remove(Away()) == 0
    assert len(waiting()) == 1
    assert len(bucket.content()) == 1
