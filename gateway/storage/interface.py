"""The interface of a store of footage: files by key, and the errors that its methods raise.

Callers use keys (`tenant/device/2026-11-22/17/…`), never paths.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from gateway.errors import InvalidValue, Unavailable

#: A name in a key. It cannot begin with a dot, so neither `..` nor the marker file can be addressed.
KEY_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")


class StorageUnavailable(Unavailable):
    """Footage cannot be read or written now.

    Reasons: `storage_unmounted`, `storage_read_only`, `storage_failed`, `file_missing`.
    """

    reason = "storage_failed"


class StorageFull(StorageUnavailable):
    """There is no space for the data; what was written before is intact."""

    reason = "disk_full"


@dataclass(frozen=True, slots=True)
class Space:
    """Bytes of the whole disk; `free` is what may still be written."""

    total: int
    free: int
    used: int


class SegmentWriter(Protocol):
    """A new file to which whole parts are appended."""

    @property
    def size(self) -> int:
        """Bytes that were appended."""

    @property
    def durable_size(self) -> int:
        """Bytes that survive a loss of power."""

    def append(self, data: bytes) -> None:
        """Append all of `data` or nothing; raises StorageUnavailable."""

    def sync(self) -> None:
        """Make the appended data durable. Raises StorageUnavailable, also when another process removed the file."""

    def close(self) -> None:
        """Close the file without making anything durable. May be called twice."""


class Storage(Protocol):
    """A store of files by key. Everything but `local_path` and `close` may raise StorageUnavailable."""

    @property
    def id(self) -> int:
        """The id of the store's row."""

    def check(self) -> None:
        """Raise StorageUnavailable when this is another store than before, or it cannot be written. Cheap."""

    def create(self, key: str) -> SegmentWriter:
        """Create a file; raises Conflict when it exists."""

    def read(self, key: str, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Read a file in chunks, to its end or up to `length` bytes. Raises NotFound at the call itself."""

    def size(self, key: str) -> int | None:
        """The size of a file in bytes; None when it does not exist."""

    def local_path(self, key: str) -> Path | None:
        """The path under which a web server can read the file itself; None when it cannot."""

    def truncate(self, key: str, size: int) -> None:
        """Truncate a file to `size` bytes, durably; raises NotFound."""

    def delete(self, key: str) -> bool:
        """Remove a file durably, with folders that are empty then; False when there was none."""

    def list(self, prefix: str = "") -> Iterator[tuple[str, int, float]]:
        """Key, size and time of change of the files below a folder, by name; the time is of this machine's clock."""

    def quarantine(self, key: str, why: str) -> str:
        """Move a file into quarantine with a note of the reason; returns its new place. Raises NotFound."""

    def space(self) -> Space:
        """The size of the disk and its free space."""


def check_key(key: str) -> str:
    """Return the key; raises InvalidValue for one that could lead out of the store."""
    if len(key) > 1024 or not all(KEY_NAME.fullmatch(name) for name in key.split("/")):
        raise InvalidValue(
            "key", f"{key[:200]!r} must be names of letters, digits, '.', '_' and '-' with '/' between them"
        )
    return key
