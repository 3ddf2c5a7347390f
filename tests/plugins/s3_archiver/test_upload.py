"""One upload: whole or absent, verified by digest or by reading back, and never a changed file."""

import hashlib

import pytest

from plugins.s3_archiver.bucket import PART_BYTES, Stored
from plugins.s3_archiver.failures import StoreFailure
from plugins.s3_archiver.limits import Stopped
from plugins.s3_archiver.settings import BucketSettings
from plugins.s3_archiver.upload import upload_file
from tests.plugins.s3_archiver.world import MemoryBucket


@pytest.fixture
def bucket() -> MemoryBucket:
    return MemoryBucket()


class DigestBucket(MemoryBucket):
    """A bucket whose ETags are digests, as those of S3."""

    etag = ""

    def put(self, key, data, *, part_size, content_type):
        data = data if isinstance(data, bytes) else b"".join(data)
        super().put(key, data, part_size=None, content_type=content_type)
        self.etag = hashlib.md5(data).hexdigest()
        return self.etag

    def read_sample(self, key, offset, length):
        stored, data = super().read_sample(key, offset, length)
        return Stored(stored.size, self.etag), data


def send(bucket, path, key="t/d/key", *, size=None, take=lambda count: None):
    size = path.stat().st_size if size is None else size
    return upload_file(bucket, path, key, size=size, content_type="video/mp4", take=take)


@pytest.mark.parametrize("size", [0, 1, 1000, PART_BYTES, PART_BYTES + 1, 3 * PART_BYTES, 3 * PART_BYTES + 17])
def test_every_byte_arrives(bucket, tmp_path, size):
    data = bytes(at * 7 % 251 for at in range(1000)) * (size // 1000 + 1)
    path = tmp_path / "file"
    path.write_bytes(data[:size])
    done = send(bucket, path)
    assert bucket.content() == {"t/d/key": data[:size]}
    assert (done.size, done.checksum) == (size, f"sha256:{hashlib.sha256(data[:size]).hexdigest()}")


def test_bytes_are_taken_from_the_limit_before_they_are_read(bucket, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"x" * 1_000_000)
    taken = []
    send(bucket, path, take=taken.append)
    assert sum(taken) == 1_000_000
    assert max(taken) <= 256 << 10


def test_a_stop_leaves_nothing(bucket, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"x" * (2 * PART_BYTES))

    def stop(_count):
        raise Stopped

    with pytest.raises(Stopped):
        send(bucket, path, take=stop)
    assert bucket.content() == {}


@pytest.mark.parametrize("size", [999, 1001])
def test_a_file_of_another_size_than_its_row_is_not_uploaded(bucket, tmp_path, size):
    path = tmp_path / "file"
    path.write_bytes(b"x" * 1000)
    with pytest.raises(StoreFailure, match="another size") as raised:
        send(bucket, path, size=size)
    assert raised.value.reason == "file_differs"
    assert bucket.content() == {}


def test_a_file_that_shrinks_while_it_is_read_is_not_uploaded(bucket, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"x" * (2 * PART_BYTES))

    def shrink(_count):
        path.write_bytes(b"x" * 100)

    with pytest.raises(StoreFailure) as raised:
        send(bucket, path, take=shrink)
    assert raised.value.reason == "file_differs"
    assert bucket.content() == {}


def test_a_missing_file_is_named(bucket, tmp_path):
    with pytest.raises(StoreFailure) as raised:
        send(bucket, tmp_path / "none", size=1)
    assert raised.value.reason == "file_missing"


def test_a_link_is_no_file(bucket, tmp_path):
    (tmp_path / "secret").write_bytes(b"x")
    (tmp_path / "link").symlink_to(tmp_path / "secret")
    with pytest.raises(StoreFailure) as raised:
        send(bucket, tmp_path / "link", size=1)
    assert raised.value.reason == "file_unreadable"


def test_an_etag_that_is_no_digest_makes_it_read_everything_back(bucket, tmp_path, monkeypatch):
    path = tmp_path / "file"
    path.write_bytes(b"x" * 1000)
    reads = []
    read = bucket.read
    monkeypatch.setattr(bucket, "read", lambda key: reads.append(key) or read(key))
    send(bucket, path)
    assert reads == ["t/d/key"]


@pytest.mark.parametrize("read_back", [False, True])
def test_an_etag_that_is_the_digest_saves_the_reading(tmp_path, monkeypatch, read_back):
    bucket = DigestBucket(BucketSettings("footage", read_back=read_back))
    path = tmp_path / "file"
    path.write_bytes(b"x" * 1000)
    reads = []
    read = bucket.read
    monkeypatch.setattr(bucket, "read", lambda key: reads.append(key) or read(key))
    send(bucket, path)
    assert reads == (["t/d/key"] if read_back else [])


@pytest.mark.parametrize("stored", [b"y" * 1000, b"x" * 999, b"x" * 999 + b"y"])
def test_wrong_bytes_in_the_bucket_are_found(tmp_path, stored):
    class Damaging(MemoryBucket):
        def put(self, key, data, *, part_size, content_type):
            super().put(key, stored, part_size=None, content_type=content_type)
            return "x"

    path = tmp_path / "file"
    path.write_bytes(b"x" * 1000)
    with pytest.raises(StoreFailure) as raised:
        send(Damaging(), path)
    assert raised.value.reason == "s3_changed"


def test_an_object_that_vanishes_is_found(tmp_path):
    class Forgetting(MemoryBucket):
        def put(self, key, data, *, part_size, content_type):
            return ""

    path = tmp_path / "file"
    path.write_bytes(b"x" * 1000)
    with pytest.raises(StoreFailure, match="gone"):
        send(Forgetting(), path)
