"""The contract of archives: stores of verified copies of footage, which plugins return from `register_archives`.

What an archive does with the index of footage is in `gateway.archive.interface`.
"""

from collections.abc import Iterator
from typing import Protocol

from gateway.errors import Unavailable


class ArchiveUnavailable(Unavailable):
    """The archive cannot be reached, or refuses; a later attempt may succeed."""

    reason = "archive_unavailable"


class Archive(Protocol):
    """A store of objects. Thread-safe; every method may raise ArchiveUnavailable and must do so within 30 seconds.

    Objects are whole or absent, and never change: the same key always has the same bytes. `name` is stored with every
    copy, so it must be the same in every process and after every restart.
    """

    name: str

    def read(self, key: str, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Read an object in chunks, to its end or up to `length` bytes. Raises NotFound at the call itself."""

    def size(self, key: str) -> int | None:
        """The size of an object in bytes; None when it does not exist."""

    def list(self, prefix: str) -> Iterator[tuple[str, int]]:
        """Key and size of every object whose key begins with `prefix`, in any order. Keys are as given to `read`."""

    def delete(self, key: str) -> bool:
        """Delete an object; False when there was none."""

    def presign(self, key: str, seconds: int) -> str | None:
        """A URL at which anybody can read the object for some time; None if the archive or its options allow none."""
