"""The disk cache of archived footage: blocks as files, which several processes of a machine share.

Each file begins with the digest of its block, so that one which a crash or the disk damaged is seen and removed. A
block that cannot be stored, on a full disk for example, is simply not cached.
"""

import hashlib
import logging
import os
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

log = logging.getLogger(__name__)

_DIGEST_BYTES = 16
#: Changes of the size by other processes are seen after this time.
_RECOUNT_SECONDS = 30.0
#: A block that was used more recently is not touched again.
_TOUCH_SECONDS = 60.0
#: The cache is emptied to this share of its limit, so that not every block has to make room.
_EMPTIED = 0.9
_DRAFT = ".draft-"
#: Drafts older than this were left by a process that is gone.
_DRAFT_SECONDS = 300.0


class BlockCache:
    """Blocks by name, at most `max_bytes` of them; with 0 nothing is stored. Thread-safe; no method raises OSError."""

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._size = 0
        self._counted_at = float("-inf")
        self._has_failed = False

    def get(self, name: str) -> bytes | None:
        """A block; None if it is not there or damaged."""
        path = self._path(name)
        try:
            stored = path.read_bytes()
        except OSError:
            return None
        data = stored[_DIGEST_BYTES:]
        if _digest(data) != stored[:_DIGEST_BYTES]:
            log.warning("a damaged block of archived footage is removed from the cache: '%s'", path)
            self.remove(name)
            return None
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > _TOUCH_SECONDS:
                os.utime(path)
        return data

    def put(self, name: str, data: bytes) -> None:
        """Store a block, and remove those that were not used for the longest time if there is no room."""
        if self._max_bytes < len(data) + _DIGEST_BYTES:
            return
        path = self._path(name)
        draft = path.with_name(f"{_DRAFT}{uuid.uuid4().hex}")
        try:
            self._make_room(len(data) + _DIGEST_BYTES)
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with open(descriptor, "wb", buffering=0) as file:
                _write_all(file, _digest(data) + data)
            draft.rename(path)
            self._has_failed = False
        except OSError as error:
            with suppress(OSError):
                draft.unlink(missing_ok=True)
            if not self._has_failed:
                log.warning("archived footage cannot be cached in '%s': %s", self._folder, error)
            self._has_failed = True

    def remove(self, name: str) -> None:
        """Remove a block."""
        with suppress(OSError):
            self._path(name).unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        hashed = hashlib.blake2b(name.encode(), digest_size=16).hexdigest()
        return self._folder / hashed[:2] / hashed[2:]

    def _make_room(self, size: int) -> None:
        with self._lock:
            self._size += size
            is_stale = time.monotonic() - self._counted_at > _RECOUNT_SECONDS
            if self._size <= self._max_bytes and not is_stale:
                return
            self._counted_at = time.monotonic()
            files = sorted(self._files())
            self._size = size + sum(length for _, length, _ in files)
            if self._size <= self._max_bytes:
                return
            for _, length, path in files:
                if self._size <= self._max_bytes * _EMPTIED:
                    break
                with suppress(OSError):
                    path.unlink(missing_ok=True)
                self._size -= length

    def _files(self) -> Iterator[tuple[float, int, Path]]:
        """Time of use, size and path of each block; drafts that were left behind are removed."""
        for folder in self._scan(self._folder):
            for entry in self._scan(Path(folder.path)) if folder.is_dir(follow_symlinks=False) else ():
                with suppress(OSError):
                    status = entry.stat(follow_symlinks=False)
                    if not entry.name.startswith(_DRAFT):
                        yield status.st_mtime, status.st_size, Path(entry.path)
                    elif time.time() - status.st_mtime > _DRAFT_SECONDS:
                        os.unlink(entry.path)

    @staticmethod
    def _scan(folder: Path) -> list[os.DirEntry]:
        try:
            with os.scandir(folder) as found:
                return list(found)
        except OSError:
            return []


def _write_all(file, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]


def _digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=_DIGEST_BYTES).digest()
