"""The uploading service: everything arrives once, it waits while the storage is away, and says why."""

import threading
from contextlib import contextmanager
from dataclasses import replace

import pytest

from gateway import database
from plugins.s3_archiver.bucket import Leftover
from plugins.s3_archiver.failures import StoreFailure
from plugins.s3_archiver.settings import BucketSettings, UploadSettings
from plugins.s3_archiver.uploader import Uploader
from tests.conftest import wait_until
from tests.footage import MINUTE_MS, NOON_MS, segment_bytes
from tests.plugins.s3_archiver.world import MemoryBucket, StubOptions, World


class Service:
    """An uploader whose loop a test turns, with real threads."""

    def __init__(self, world: World, bucket: MemoryBucket, options: StubOptions) -> None:
        self.bucket, self.options, self.clock = bucket, options, world.clock
        self.stop = threading.Event()
        self.opened: list[BucketSettings] = []
        self.statuses = []
        self.retry = False
        self.uploader = Uploader(
            world.outbox(),
            options,
            self.stop,
            open_bucket=self._open,
            publish=self.statuses.append,
            asked_to_retry=self._asked,
            clock=world.clock,
            now=world.clock.now,
            look_seconds=0.01,
        )

    def until(self, condition, what: str) -> None:
        """Let the service work until the condition holds. Its clock advances with each look."""

        def look() -> bool:
            self.uploader.run_once()
            self.clock.seconds += 2
            return bool(condition())

        wait_until(look, what, 20)

    def state(self) -> str:
        return self.uploader.status().state

    def _open(self, settings: BucketSettings) -> MemoryBucket:
        self.opened.append(settings)
        return self.bucket

    def _asked(self) -> bool:
        asked, self.retry = self.retry, False
        return asked


@contextmanager
def running(world: World, bucket: MemoryBucket | None = None, options: StubOptions | None = None):
    service = Service(world, bucket or MemoryBucket(), options or world.all_kinds())
    try:
        yield service
    finally:
        service.stop.set()
        service.uploader.run()


def add_hour(world: World, minutes: int = 20) -> None:
    for minute in range(minutes):
        world.footage.add(NOON_MS + minute * MINUTE_MS, sequence=1 + 5 * minute)


pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def test_everything_is_uploaded_once(world):
    add_hour(world)
    world.add_snapshot(b"snapshot")
    world.add_clip(b"clip")
    world.add_export(b"export")
    with running(world) as service:
        service.until(lambda: len(world.archived_segments()) == 20 and len(service.bucket.puts) == 23, "all is there")
        service.until(lambda: service.state() == "idle", "it is idle")
    content = service.bucket.content()
    assert len(content) == len(service.bucket.puts) == 23
    assert sorted(set(content.values())) == sorted({b"snapshot", b"clip", b"export", segment_bytes()})
    assert {row.state for row in world.rows()} == {"archived"}


def test_what_comes_later_is_found_without_being_told(world):
    with running(world) as service:
        service.until(lambda: service.state() == "idle", "it is idle")
        segment_id = world.footage.add(NOON_MS)
        service.until(lambda: world.archived_segments() == [segment_id], "the segment is there")


def test_without_a_bucket_nothing_is_assigned_and_nothing_waits(world):
    world.footage.add(NOON_MS)
    options = replace(world.all_kinds(), bucket=None)
    with running(world, options=options) as service:
        for _ in range(3):
            service.uploader.run_once()
        assert service.state() == "unconfigured"
        assert service.uploader.status().backlog_bytes == 0
        options.bucket = BucketSettings("footage")
        service.until(world.archived_segments, "it begins")


def test_while_the_storage_is_away_one_upload_at_a_time_probes_it_with_growing_pauses(world):
    add_hour(world)
    bucket = MemoryBucket()
    bucket.failures = [StoreFailure("s3_unreachable")] * 8
    with running(world, bucket) as service:
        service.until(lambda: not bucket.failures, "it was tried several times")
        status = service.uploader.status()
        if status.state == "failing":
            assert status.reason["code"] == "s3_unreachable"
            assert status.reason["remedy"]
        service.until(lambda: len(world.archived_segments()) == 20, "all is there")
        assert len(bucket.puts) == 20
        assert service.uploader.status().reason is None


def test_a_failure_of_the_storage_blames_no_object(world):
    world.add_snapshot()
    bucket = MemoryBucket()
    bucket.failures = [StoreFailure("s3_access_denied")]
    with running(world, bucket) as service:
        service.until(lambda: service.state() == "failing", "it fails")
        assert [row.error_code for row in world.rows()] == [None]
        assert service.uploader.status().next_try_at
        service.until(lambda: bucket.puts, "it goes on")


def test_signatures_that_are_refused_because_of_the_clock_are_explained(world):
    world.add_snapshot()
    bucket = MemoryBucket()
    bucket.failures = [StoreFailure("s3_wrong_credentials")] * 3
    bucket.difference = -7200.0
    with running(world, bucket) as service:
        service.until(lambda: service.state() == "failing", "it fails")
        assert service.uploader.status().reason["code"] == "s3_clock_skew"
        assert "-7200" in service.uploader.status().reason["detail"]


def test_retry_now_ends_the_pause(world):
    world.add_snapshot()
    bucket = MemoryBucket()
    bucket.failures = [StoreFailure("s3_unreachable")] * 10
    with running(world, bucket) as service:
        service.until(lambda: not bucket.failures, "the pause is long")
        before = world.clock.seconds
        service.retry = True
        service.until(lambda: bucket.puts, "it was tried at once")
        assert world.clock.seconds - before < 100


def test_a_damaged_file_does_not_hold_up_the_others(world):
    add_hour(world, 5)
    bad = world.outbox().pending([])[0]
    bad.path.write_bytes(b"cut")
    with running(world) as service:
        service.until(lambda: len(world.archived_segments()) == 4, "the others are there")
        service.until(lambda: service.uploader.status().failing_objects == 1, "it is counted")
        assert service.state() != "failing"
        bad.path.write_bytes(segment_bytes())
        service.until(lambda: len(world.archived_segments()) == 5, "the mended one comes too")


def test_a_storage_that_takes_nothing_for_minutes_is_named_and_then_goes_on(world, monkeypatch):
    world.footage.add(NOON_MS)
    bucket = MemoryBucket()
    put, goes_on = bucket.put, threading.Event()

    def slow(*args, **options):
        goes_on.wait(20)
        return put(*args, **options)

    monkeypatch.setattr(bucket, "put", slow)
    with running(world, bucket) as service:
        service.until(lambda: service.state() == "uploading", "it uploads")
        world.clock.seconds += 130
        assert service.state() == "failing"
        assert service.uploader.status().reason["code"] == "s3_slow"
        goes_on.set()
        service.until(world.archived_segments, "it is there")
        assert service.uploader.status().reason is None


def test_two_processes_at_a_time_are_harmless(world):
    add_hour(world)
    world.add_snapshot(b"snapshot")
    bucket = MemoryBucket()
    with running(world, bucket) as one, running(world, bucket) as two:
        one.until(lambda: two.uploader.run_once() or len(world.archived_segments()) == 20, "all is there")
    assert len(bucket.content()) == 21
    assert len(world.rows()) == 1


def test_outside_of_the_window_nothing_is_uploaded(world):
    world.footage.add(NOON_MS)
    local = world.clock.now()
    opens = f"{(local.hour + 3) % 24:02d}:00"
    options = world.all_kinds()
    options.uploads = UploadSettings(window={"from": opens, "to": f"{(local.hour + 5) % 24:02d}:00"}, time_zone="UTC")
    with running(world, options=options) as service:
        for _ in range(3):
            service.uploader.run_once()
            world.clock.seconds += 1
        assert service.state() == "closed"
        assert service.bucket.puts == []
        assert service.uploader.status().next_try_at.endswith(f"T{opens}:00Z")
        world.clock.seconds += 3 * 3600
        service.until(world.archived_segments, "it goes on when the window opens")


def test_a_changed_bucket_is_opened_and_an_unchanged_one_stays(world):
    with running(world) as service:
        service.until(lambda: service.state() == "idle", "it is idle")
        service.options.uploads = UploadSettings(concurrency=4)
        service.until(lambda: True, "options are read")
        world.clock.seconds += 5
        service.until(lambda: True, "options are read")
        assert len(service.opened) == 1
        service.options.bucket = BucketSettings("other")
        world.clock.seconds += 5
        service.until(lambda: len(service.opened) == 2, "the other bucket is opened")


def test_left_over_parts_of_our_own_objects_are_removed_others_stay(world):
    ours = f"{world.scope.tenant_id}/{world.device_id}/2026-01-01/00/00-00-000_1-1.mp4"
    foreign = f"{world.scope.tenant_id}/11111111-0000-4000-8000-000000000000/2026-01-01/00/00-00-000_1-1.mp4"
    bucket = MemoryBucket()
    bucket.left = [Leftover(ours, "u1"), Leftover(foreign, "u2"), Leftover("backups/other", "u3")]
    with running(world, bucket) as service:
        service.until(lambda: service.state() == "idle", "it is idle")
        assert bucket.aborted == [ours]


def test_an_unknown_error_of_one_upload_ends_no_thread(world, monkeypatch):
    add_hour(world, 3)
    bucket = MemoryBucket()
    put, errors = bucket.put, [RuntimeError("a bug")] * 4

    def failing(*args, **options):
        if errors:
            raise errors.pop()
        return put(*args, **options)

    monkeypatch.setattr(bucket, "put", failing)
    with running(world, bucket) as service:
        service.until(lambda: len(world.archived_segments()) == 3, "all is there")


def test_a_database_that_is_away_when_the_row_is_to_be_written_loses_nothing(world, monkeypatch):
    world.footage.add(NOON_MS)
    with running(world) as service:
        outbox = service.uploader._outbox
        save, errors = outbox.save, [database.DatabaseUnavailable("away")] * 2

        def failing(*args):
            if errors:
                raise errors.pop()
            save(*args)

        monkeypatch.setattr(outbox, "save", failing)
        service.until(world.archived_segments, "the copy is recorded")
        assert len(service.bucket.content()) == 1


def test_the_state_is_published(world):
    add_hour(world, 3)
    with running(world) as service:
        service.until(lambda: len(world.archived_segments()) == 3, "all is there")
        world.clock.seconds += 20
        service.until(lambda: service.statuses[-1].uploaded_objects == 3, "it is published")
    last = service.statuses[-1]
    assert last.uploaded_bytes == 3 * len(segment_bytes())
    assert last.warn_hours == 24
    assert last.updated_at.endswith("Z")


def test_the_stop_ends_the_service_soon(world):
    add_hour(world)
    service = Service(world, MemoryBucket(), world.all_kinds())
    thread = threading.Thread(target=service.uploader.run)
    thread.start()
    service.stop.set()
    thread.join(5)
    assert not thread.is_alive()
