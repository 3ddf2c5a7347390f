"""One upload: reads a file at the pace that the limits allow, stores it, and verifies what the storage has."""

import os
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from gateway.plugin_api import FileChecksums, NotFound
from plugins.s3_archiver.bucket import Bucket, Stored, part_size_of
from plugins.s3_archiver.digests import FileDigest
from plugins.s3_archiver.failures import StoreFailure

_READ_BYTES = 256 << 10
#: Bytes that are read back of every object.
_SAMPLE_BYTES = 64 << 10


@dataclass(frozen=True, slots=True)
class Uploaded:
    """A verified object."""

    size: int
    checksum: str
    blocks: bytes = b""


def upload_file(
    bucket: Bucket,
    path: Path,
    key: str,
    *,
    size: int,
    content_type: str,
    take: Callable[[int], None],
) -> Uploaded:
    """Upload a file of `size` bytes and verify the object. `take(count)` is called before bytes are read.

    The object is whole or absent. An object that is there already, from an attempt that was killed after it, is
    stored again. Raises StoreFailure, and what `take` raises.
    """
    part_size = part_size_of(size)
    with _Source(path, size, part_size, take) as source:
        data = source.read() if part_size else b"".join(source.read())
        etag = bucket.put(key, data, part_size=part_size, content_type=content_type)
        _verify(bucket, key, source, etag)
        return Uploaded(size, source.digest.checksum, source.digest.blocks)


def _verify(bucket: Bucket, key: str, source: "_Source", etag: str) -> None:
    """Compare the object with what was read of the file.

    The storage computes the ETag from what it has stored: if it is the digest of the file, a sample is read back to
    see that the object can be read. Another ETag (KMS, other servers) proves nothing: then all of it is read back.
    """
    digest = source.digest
    if digest.size != source.size:
        raise StoreFailure("file_differs", f"read {digest.size} of {source.size} bytes")
    try:
        stored = _compare_sample(bucket, key, source)
        expected = digest.etag()
        if stored.etag == expected and etag in ("", expected) and not bucket.settings.read_back:
            return
        again = FileChecksums()
        for chunk in bucket.read(key):
            again.update(chunk)
    except NotFound:
        raise StoreFailure("s3_changed", "the object is gone") from None
    if again.checksum != digest.checksum:
        raise StoreFailure("s3_changed", "the bytes that were read back are not those of the file")


def _compare_sample(bucket: Bucket, key: str, source: "_Source") -> Stored:
    """Read some bytes back at a random place and compare them; returns what the storage says about the object."""
    size = source.size
    if not size:
        stored = bucket.find(key)
        if stored is None or stored.size:
            raise StoreFailure("s3_changed", "the object is missing or not empty")
        return stored
    offset = random.randrange(size)
    length = min(_SAMPLE_BYTES, size - offset)
    stored, found = bucket.read_sample(key, offset, length)
    if stored.size != size:
        raise StoreFailure("s3_changed", f"the object has {stored.size} bytes, the file {size}")
    if found != source.bytes_at(offset, length):
        raise StoreFailure("s3_changed", f"bytes at {offset} are not those of the file")
    return stored


class _Source:
    """The file of an upload, as a context manager, with the digest of what was read. Raises StoreFailure."""

    def __init__(self, path: Path, size: int, part_size: int | None, take: Callable[[int], None]) -> None:
        self.size = size
        self.digest = FileDigest(part_size)
        self._path, self._take, self._file = path, take, -1

    def __enter__(self) -> Self:
        try:
            self._file = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
            found = os.fstat(self._file).st_size
        except FileNotFoundError:
            raise StoreFailure("file_missing") from None
        except OSError as error:
            self.__exit__()
            raise StoreFailure("file_unreadable", str(error.strerror)) from None
        if found != self.size:
            self.__exit__()
            raise StoreFailure("file_differs", f"{found} bytes instead of {self.size}")
        return self

    def __exit__(self, *_: object) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def read(self) -> Iterator[bytes]:
        """The bytes of the file. They leave the page cache as they are read: recording needs the memory more."""
        offset = 0
        while offset < self.size:
            length = min(_READ_BYTES, self.size - offset)
            self._take(length)
            data = self.bytes_at(offset, length)
            if not data:
                raise StoreFailure("file_differs", f"it ends after {offset} of {self.size} bytes")
            os.posix_fadvise(self._file, offset, len(data), os.POSIX_FADV_DONTNEED)
            self.digest.update(data)
            offset += len(data)
            yield data

    def bytes_at(self, offset: int, length: int) -> bytes:
        """Some bytes of the file."""
        try:
            return os.pread(self._file, length, offset)
        except OSError as error:
            raise StoreFailure("file_unreadable", str(error.strerror)) from None
