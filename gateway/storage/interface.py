"""The interface of a store of footage: files by key, and the errors that its methods raise."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from gateway.errors import InvalidValue, Unavailable

#: A name in a key: no empty one, none that begins with a dot, so neither `..` nor the marker can be spelt.
KEY_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")


class StorageUnavailable(Unavailable):
    """Footage cannot be read or written now. Reasons: `storage_unmounted`, `storage_failed`, `file_missing`."""

    reason = "storage_failed"


class StorageFull(StorageUnavailable):
    """There is no room for what was to be written; what was there before is untouched."""

    reason = "disk_full"


@dataclass(frozen=True, slots=True)
class Space:
    """Bytes of the whole store; `free` is what we may still write."""

    total: int
    free: int
    used: int


class SegmentWriter(Protocol):
    """A new file that grows by whole parts."""

    @property
    def size(self) -> int:
        """Bytes of what was appended."""

    @property
    def durable_size(self) -> int:
        """Bytes that a loss of power does not take away."""

    def append(self, data: bytes) -> None:
        """All of `data` or nothing of it; raises StorageUnavailable."""

    def sync(self) -> None:
        """Make durable what was appended. Raises StorageUnavailable, also when the file was taken away underneath."""

    def close(self) -> None:
        """Give the file back, without making anything durable. May be called twice."""


class Storage(Protocol):
    """A store of files by key. Everything but `local_path` and `close` may raise StorageUnavailable."""

    @property
    def id(self) -> int:
        """The id of the store's row."""

    def check(self) -> None:
        """Raise StorageUnavailable when this is not the store that it was, or cannot be written. Cheap."""

    def create(self, key: str) -> SegmentWriter:
        """A new file; raises Conflict where there is one of this name."""

    def read(self, key: str, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        """A file's bytes in chunks, to its end or at most `length`; raises NotFound at once."""

    def size(self, key: str) -> int | None:
        """A file's bytes; None when there is no such file."""

    def local_path(self, key: str) -> Path | None:
        """Where a web server may read the file itself; None where it cannot."""

    def truncate(self, key: str, size: int) -> None:
        """Cut off, durably, what a crash left after the first `size` bytes; raises NotFound."""

    def delete(self, key: str) -> bool:
        """Remove a file durably, with folders that are empty then; False when there was none."""

    def list(self, prefix: str = "") -> Iterator[tuple[str, int, float]]:
        """Key, size and time of change (seconds since 1970) of the files below a folder, by name."""

    def quarantine(self, key: str, why: str) -> str:
        """Put a file aside with a note, and give where it is now; raises NotFound."""

    def space(self) -> Space:
        """How much there is, and how much is left."""


def check_key(key: str) -> str:
    """The key itself; raises InvalidValue for one that could lead out of the store."""
    if len(key) > 1024 or not all(KEY_NAME.fullmatch(name) for name in key.split("/")):
        raise InvalidValue(
            "key", f"{key[:200]!r} must be names of letters, digits, '.', '_' and '-' with '/' between them"
        )
    return key
