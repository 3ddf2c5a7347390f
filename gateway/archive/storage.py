"""The store of footage over both tiers: a file is read from the local disk, otherwise from its copy in an archive."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path

from gateway.archive.cache import BlockCache
from gateway.archive.reader import ArchiveReader, Ranges
from gateway.archives import Archive
from gateway.config import Config
from gateway.errors import NotFound
from gateway.footage.copies import FoundCopy, find_copies
from gateway.storage.interface import SegmentWriter, Space, Storage, StorageUnavailable
from gateway.storage.local import open_storage

#: How long a copy that was found is used without reading its row again, and how many are kept.
_KEEP_SECONDS = 60.0
_KEEP = 256


#: The folder of the disk cache below VAR_DIR.
CACHE_FOLDER = "archive-cache"


def open_footage(config: Config, collect: Callable[[], list[Archive]]) -> "TieredStorage":
    """The store of footage over both tiers. `collect` returns the archives; it is called when one is first needed."""
    cache = BlockCache(config.var_dir / CACHE_FOLDER, config.archive_cache_bytes)
    return TieredStorage(open_storage(config), ArchiveReader(collect, cache))


class TieredStorage:
    """A Storage whose `read` and `size` also know archived files; everything else is that of the local store.

    While the local store is unavailable, what has a copy can still be read.
    """

    def __init__(self, local: Storage, archives: ArchiveReader) -> None:
        self.local = local
        self._archives = archives
        self._lock = threading.Lock()
        self._copies: OrderedDict[str, tuple[float, FoundCopy]] = OrderedDict()

    @property
    def id(self) -> int:
        return self.local.id

    def read(self, key: str, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        try:
            return self.local.read(key, offset, length)
        except (NotFound, StorageUnavailable):
            copy = self.find_copy(key)
            if copy is None:
                raise
        return self._archives.read(copy, offset, length)

    def size(self, key: str) -> int | None:
        try:
            size = self.local.size(key)
        except StorageUnavailable:
            copy = self.find_copy(key)
            if copy is None:
                raise
            return copy.size
        if size is None and (copy := self.find_copy(key)) is not None:
            return copy.size
        return size

    def local_path(self, key: str) -> Path | None:
        path = self.local.local_path(key)
        return path if path is not None and path.is_file() else None

    def find_archived(self, key: str) -> FoundCopy | None:
        """The copy from which a file is read now; None for one that is on the local disk, or nowhere."""
        try:
            is_here = self.local.size(key) is not None
        except StorageUnavailable:
            is_here = False
        return None if is_here else self.find_copy(key)

    def find_copy(self, key: str) -> FoundCopy | None:
        """The newest copy of a file; None without one."""
        now = time.monotonic()
        with self._lock:
            until, copy = self._copies.get(key, (0.0, None))
            if now < until:
                return copy
        copy = next(iter(find_copies(key)), None)
        if copy is not None:
            with self._lock:
                self._copies[key] = (now + _KEEP_SECONDS, copy)
                self._copies.move_to_end(key)
                while len(self._copies) > _KEEP:
                    self._copies.popitem(last=False)
        return copy

    def prefetch(self, copy: FoundCopy, ranges: Ranges) -> Future[None]:
        """As `ArchiveReader.prefetch`."""
        return self._archives.prefetch(copy, ranges)

    def presign(self, copy: FoundCopy, seconds: int) -> Future[str | None]:
        """As `ArchiveReader.presign`."""
        return self._archives.presign(copy, seconds)

    def too_slow(self, copy: FoundCopy) -> StorageUnavailable:
        """As `ArchiveReader.too_slow`."""
        return self._archives.too_slow(copy)

    # ---- the local store ---------------------------------------------------------------------------------------

    def check(self) -> None:
        self.local.check()

    def create(self, key: str) -> SegmentWriter:
        return self.local.create(key)

    def truncate(self, key: str, size: int) -> None:
        self.local.truncate(key, size)

    def delete(self, key: str) -> bool:
        return self.local.delete(key)

    def list(self, prefix: str = "") -> Iterator[tuple[str, int, float]]:
        return self.local.list(prefix)

    def quarantine(self, key: str, why: str) -> str:
        return self.local.quarantine(key, why)

    def space(self) -> Space:
        return self.local.space()
