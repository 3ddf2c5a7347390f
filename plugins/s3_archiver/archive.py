"""The archive of footage that playback, exports and snapshots read: the bucket of the options, opened at first use."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

from gateway.plugin_api import ArchiveUnavailable
from plugins.s3_archiver.bucket import Bucket
from plugins.s3_archiver.failures import StoreFailure
from plugins.s3_archiver.outbox import ARCHIVE
from plugins.s3_archiver.settings import BucketSettings

#: After a failure of the storage readers fail at once for this time, instead of waiting one after the other.
_AWAY_SECONDS = 3.0


class S3Archive:
    """Copies of footage in the bucket (`gateway/archives.py`). `read_settings` returns None without a bucket."""

    name = ARCHIVE

    def __init__(
        self,
        read_settings: Callable[[], BucketSettings | None],
        *,
        open_bucket: Callable[[BucketSettings], Bucket] = Bucket,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read_settings, self._open_bucket, self._clock = read_settings, open_bucket, clock
        self._lock = Lock()
        self._bucket: Bucket | None = None
        self._away_until = 0.0
        self._failure: StoreFailure | None = None

    def read(self, key: str, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        with self._explained():
            found = self._find_bucket().read(key, offset, length)
        return self._pass_on(found)

    def size(self, key: str) -> int | None:
        with self._explained():
            found = self._find_bucket().find(key)
        return None if found is None else found.size

    def list(self, prefix: str) -> Iterator[tuple[str, int]]:
        with self._explained():
            found = self._find_bucket().keys(prefix)
        return self._pass_on(found)

    def delete(self, key: str) -> bool:
        with self._explained():
            return self._find_bucket().delete(key)

    def presign(self, key: str, seconds: int) -> str | None:
        with self._explained():
            return self._find_bucket().presign(key, seconds)

    def _find_bucket(self) -> Bucket:
        settings = self._read_settings()
        if settings is None:
            raise ArchiveUnavailable("the archive has no bucket: set 'bucket' in the options of s3_archiver")
        with self._lock:
            if self._bucket is None or self._bucket.settings != settings:
                self._bucket, self._away_until = self._open_bucket(settings), 0.0
            if self._failure is not None and self._clock() < self._away_until:
                raise self._failure
            return self._bucket

    def _pass_on(self, found: Iterator[Any]) -> Iterator[Any]:
        with self._explained():
            yield from found

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Readers get one reason, with words about this failure; the storage's own words are for the log."""
        try:
            yield
        except StoreFailure as failure:
            if failure.is_general:
                with self._lock:
                    if self._clock() >= self._away_until:
                        self._failure, self._away_until = failure, self._clock() + _AWAY_SECONDS
            raise ArchiveUnavailable(f"the archive cannot be used: {failure.message}", detail=failure.detail) from None
