"""The archiver with a real S3 server, SeaweedFS: objects, faults, kills."""

import threading
import time
import urllib.request
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.archive.interface import ArchiveUnavailable
from gateway.errors import NotFound
from plugins.s3_archiver.archive import S3Archive
from plugins.s3_archiver.bucket import PART_BYTES, Bucket
from plugins.s3_archiver.connection import try_connection
from plugins.s3_archiver.failures import StoreFailure
from plugins.s3_archiver.settings import UploadSettings
from plugins.s3_archiver.upload import upload_file
from tests.conftest import wait_until
from tests.plugins.s3_archiver.killing import (
    Archiving,
    add_objects,
    bucket_settings,
    check_bucket,
    kill_often,
    made_world,
)
from tests.plugins.s3_archiver.world import World
from tests.stack import procfs
from tests.stack.object_store import READER_KEY, READER_SECRET, S3Server

pytestmark = pytest.mark.integration

_WIDE = UploadSettings(concurrency=4)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    made = S3Server(tmp_path_factory.mktemp("s3")).create()
    yield made
    made.close()


@pytest.fixture
def empty(server: S3Server) -> S3Server:
    """The server with an empty bucket."""
    server.empty_bucket()
    return server


@pytest.fixture
def real_world(tmp_path):
    with made_world(tmp_path / "product") as world:
        yield world


@pytest.fixture
def archiving(real_world: World, empty: S3Server, tmp_path: Path):
    made = Archiving(real_world, empty, tmp_path)
    yield made
    if made.is_alive():
        made.kill()


def send(bucket: Bucket, path: Path, key: str, data: bytes) -> None:
    path.write_bytes(data)
    upload_file(bucket, path, key, size=len(data), content_type="video/mp4", take=lambda count: None)


@pytest.mark.parametrize("values", [{}, {"encryption": "AES256"}, {"send_checksums": False}, {"prefix": ""}])
def test_objects_in_one_piece_and_in_parts_are_verified_by_their_digests(empty, tmp_path, monkeypatch, values):
    bucket = Bucket(bucket_settings(empty, **values))
    monkeypatch.setattr(bucket, "read", lambda key: pytest.fail("the whole object was read back"))
    prefix = f"{bucket.settings.prefix}/" if bucket.settings.prefix else ""
    for name, size in (("none", 0), ("small", 1000), ("piece", PART_BYTES), ("parts", 2 * PART_BYTES + 3)):
        data = bytes(at % 251 for at in range(997)) * (size // 997 + 1)
        send(bucket, tmp_path / "file", f"t/{name}", data[:size])
        assert empty.read(f"{prefix}t/{name}") == data[:size]
    assert empty.uploads() == []


def test_reading_listing_and_deleting(empty, tmp_path):
    archive = S3Archive(lambda: bucket_settings(empty))
    data = bytes(range(256)) * 30_000
    send(Bucket(bucket_settings(empty)), tmp_path / "file", "t/d/2026-01-01/00/a.mp4", data)
    key = "t/d/2026-01-01/00/a.mp4"
    assert b"".join(archive.read(key)) == data
    assert b"".join(archive.read(key, 5_000_000)) == data[5_000_000:]
    assert b"".join(archive.read(key, 100, 1000)) == data[100:1100]
    assert b"".join(archive.read(key, len(data) - 1, 1000)) == data[-1:]
    assert b"".join(archive.read(key, len(data), 1000)) == b""
    assert b"".join(archive.read(key, 0, 0)) == b""
    assert archive.size(key) == len(data)
    assert list(archive.list("t/d/2026-01")) == [(key, len(data))]
    assert list(archive.list("")) == [(key, len(data))]
    assert list(archive.list("t/e")) == []
    assert archive.delete(key) is True
    assert archive.delete(key) is False
    assert archive.size(key) is None
    with pytest.raises(NotFound):
        archive.read(key)
    with pytest.raises(NotFound):
        archive.read(key, 0, 0)


def test_presigned_urls_only_if_allowed(empty, tmp_path):
    send(Bucket(bucket_settings(empty)), tmp_path / "file", "t/x", b"0123456789")
    assert S3Archive(lambda: bucket_settings(empty)).presign("t/x", 60) is None
    url = S3Archive(lambda: bucket_settings(empty, presign=True)).presign("t/x", 60)
    request = urllib.request.Request(url, headers={"Range": "bytes=2-4"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.read() == b"234"


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"secret_key": "wrong"}, "s3_wrong_credentials"),
        ({"access_key": "unknown"}, "s3_wrong_credentials"),
        ({"access_key": READER_KEY, "secret_key": READER_SECRET}, "s3_access_denied"),
        ({"bucket": "another"}, "s3_bucket_missing"),
        ({"endpoint": "http://127.0.0.1:1"}, "s3_unreachable"),
        ({"endpoint": "http://no-such-host.invalid"}, "s3_name_unknown"),
        ({"addressing": "host"}, "s3_client"),
        ({"ca_certificate": "no certificate"}, "s3_client"),
        ({"allow_http": False}, "s3_client"),
    ],
)
def test_each_mistake_has_its_own_reason(empty, values, reason):
    settings = replace(bucket_settings(empty), **values)
    with pytest.raises(StoreFailure) as raised:
        Bucket(settings, is_hurried=True).put("t/x", b"x", part_size=None, content_type="a/b")
    assert raised.value.reason == reason
    report = try_connection(settings)
    assert report["is_ok"] is False
    assert report["steps"][-1]["reason"]["code"] == reason
    assert report["steps"][-1]["reason"]["remedy"]
    assert empty.keys() == []


def test_https_to_a_server_without_it_is_no_secret(empty):
    settings = bucket_settings(empty, endpoint=empty.url.replace("http:", "https:"))
    with pytest.raises(StoreFailure) as raised:
        Bucket(settings, is_hurried=True).put("t/x", b"x", part_size=None, content_type="a/b")
    assert raised.value.reason in ("s3_certificate", "s3_unreachable")


def test_a_connection_that_works_leaves_nothing(empty):
    report = try_connection(bucket_settings(empty))
    assert report["is_ok"], report
    assert [step["name"] for step in report["steps"]] == ["write", "read", "list", "list_uploads", "delete"]
    assert report["cleans_up"] is True
    assert abs(report["clock_difference_seconds"]) < 5
    assert empty.keys() == []


def test_a_missing_bucket_is_not_taken_for_missing_objects(server, real_world):
    archive = S3Archive(lambda: bucket_settings(server, bucket="gone"))
    for call in (lambda: archive.size("t/x"), lambda: archive.delete("t/x"), lambda: list(archive.list(""))):
        with pytest.raises(ArchiveUnavailable, match="bucket does not exist"):
            call()
    with pytest.raises(ArchiveUnavailable, match="bucket does not exist"):
        archive.read("t/x")


def test_a_frozen_server_ends_reads_within_the_time_that_readers_have(empty):
    archive = S3Archive(lambda: bucket_settings(empty), open_bucket=lambda found: Bucket(found, read_seconds=1))
    empty.freeze()
    try:
        began = time.monotonic()
        with pytest.raises(ArchiveUnavailable, match="in time"):
            archive.size("t/x")
        assert time.monotonic() - began < 10  # two attempts; with the usual 8 s each they end within 30 s
        began = time.monotonic()
        with pytest.raises(ArchiveUnavailable, match="in time"):
            archive.size("t/x")
        assert time.monotonic() - began < 1  # others do not wait again
    finally:
        empty.thaw()


def test_left_over_parts_are_found_and_aborted(empty):
    bucket = Bucket(bucket_settings(empty))
    begun = threading.Event()

    def parts():
        yield b"x" * PART_BYTES
        yield b"x" * PART_BYTES
        begun.set()
        time.sleep(0)  # the abort below happens while the upload is open
        for upload in bucket.leftovers():
            bucket.abort(upload)
        yield b"x" * 100

    with pytest.raises(StoreFailure):
        bucket.put("t/d/x", parts(), part_size=PART_BYTES, content_type="a/b")
    assert begun.is_set()
    assert bucket.leftovers() == []
    assert empty.keys() == []


def test_uploads_and_the_server_are_killed_and_every_byte_is_there_once(archiving, note):
    expected = add_objects(archiving.world, 18)
    kill_often(archiving, processes=5, servers=2)
    waiting = len(archiving.waiting())
    assert waiting, "the kills were not in the middle"
    archiving.kill()
    archiving.uploads = _WIDE
    archiving.start()
    archiving.wait_drained(90)
    assert archiving.stop() < 10
    check_bucket(archiving, expected)
    assert archiving.server.uploads() == []
    note(f"{archiving.deaths} and 2 kills, {waiting} of {len(expected)} objects waited; all are there once, equal")


def test_a_storage_that_was_away_gets_what_waited(archiving):
    archiving.uploads = _WIDE
    archiving.start()
    archiving.server.stop()
    try:
        expected = add_objects(archiving.world, 8, seed=7)
        wait_until(lambda: archiving.state() == "failing", "it says that it waits", 20)
        assert archiving.status()["reason"]["code"] == "s3_unreachable"
    finally:
        archiving.server.start()
    archiving.retry_now()
    archiving.wait_drained(60)
    check_bucket(archiving, expected)


def test_a_bucket_that_is_deleted_and_made_again_gets_what_waits(archiving):
    archiving.uploads = _WIDE
    archiving.server.delete_bucket()
    try:
        expected = add_objects(archiving.world, 4, seed=8)
        archiving.start()
        wait_until(lambda: archiving.state() == "failing", "it says that it waits", 20)
        assert archiving.status()["reason"]["code"] == "s3_bucket_missing"
    finally:
        archiving.server.create_bucket()
    archiving.retry_now()
    archiving.wait_drained(60)
    check_bucket(archiving, expected)


def test_memory_stays_small_whatever_the_sizes(archiving, note):
    archiving.uploads = _WIDE
    archiving.start()
    wait_until(lambda: archiving.state() == "idle", "it is idle", 20)
    idle = procfs.peak_memory(archiving.pid)
    for number in range(3):
        start_ms = 1_750_075_200_000 + number * 60_000
        archiving.world.footage.add(start_ms, sequence=1 + number, data=bytes(40_000_000), size=40_000_000)
    archiving.wait_drained(90)
    peak = procfs.peak_memory(archiving.pid)
    note(f"uploading 3 files of 40 MB, all at a time: {(peak - idle) / 1e6:.0f} MB above idle")
    assert peak - idle < 40_000_000
