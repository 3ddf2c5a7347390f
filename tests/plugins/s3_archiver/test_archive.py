"""The archive that readers use: one reason for all failures, and none waits for a storage that was away just now."""

import pytest

from gateway.archive.interface import ArchiveUnavailable
from plugins.s3_archiver.archive import S3Archive
from plugins.s3_archiver.failures import StoreFailure
from plugins.s3_archiver.settings import BucketSettings
from tests.plugins.s3_archiver.world import FOOTAGE, Clock, MemoryBucket


class AwayBucket(MemoryBucket):
    """A bucket that can be away."""

    def __init__(self, settings: BucketSettings | None = None) -> None:
        super().__init__(settings)
        self.failure: StoreFailure | None = None
        self.asked = 0

    def find(self, key):
        self.asked += 1
        if self.failure is not None:
            raise self.failure
        return super().find(key)


@pytest.fixture
def bucket():
    return AwayBucket()


def test_without_a_bucket_the_archive_says_so():
    with pytest.raises(ArchiveUnavailable, match="has no bucket"):
        S3Archive(lambda: None).size("t/x")


def test_readers_get_one_reason_with_the_words_of_the_failure(bucket):
    archive = S3Archive(lambda: FOOTAGE, open_bucket=lambda settings: bucket)
    bucket.failure = StoreFailure("s3_unreachable", "detail for the log")
    with pytest.raises(ArchiveUnavailable) as raised:
        archive.size("t/x")
    assert raised.value.reason == "archive_unavailable"
    assert "nothing answers" in raised.value.message
    assert "detail" not in raised.value.message


def test_after_a_failure_readers_do_not_wait_one_after_the_other(bucket):
    clock = Clock()
    archive = S3Archive(lambda: FOOTAGE, open_bucket=lambda settings: bucket, clock=clock)
    bucket.failure = StoreFailure("s3_timeout")
    for _ in range(5):
        with pytest.raises(ArchiveUnavailable):
            archive.size("t/x")
    assert bucket.asked == 1
    clock.seconds += 3.1
    bucket.failure = None
    assert archive.size("t/x") is None


def test_a_failure_of_one_object_does_not_close_the_archive(bucket):
    archive = S3Archive(lambda: FOOTAGE, open_bucket=lambda settings: bucket)
    bucket.failure = StoreFailure("s3_changed")
    with pytest.raises(ArchiveUnavailable):
        archive.size("t/x")
    bucket.failure = None
    assert archive.size("t/x") is None


def test_changed_options_open_another_bucket_at_once():
    settings = [FOOTAGE]
    opened = []

    def open_bucket(found):
        opened.append(found.bucket)
        bucket = AwayBucket(found)
        bucket.failure = StoreFailure("s3_bucket_missing") if found == FOOTAGE else None
        return bucket

    archive = S3Archive(lambda: settings[0], open_bucket=open_bucket)
    with pytest.raises(ArchiveUnavailable):
        archive.size("t/x")
    settings[0] = BucketSettings("other")
    assert archive.size("t/x") is None
    archive.size("t/y")
    assert opened == ["footage", "other"]
