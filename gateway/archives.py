"""The contract of archives: stores of verified copies of footage, which plugins return from `register_archives`.

What an archive does with the index of footage is in `gateway.archive.interface`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

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


#: What an archive's plugin does with what waits for a copy. `CLOSED`: copying is not allowed at this hour.
UNCONFIGURED, IDLE, COPYING, CLOSED, FAILING, UNKNOWN = WORK_STATES = (
    "unconfigured", "idle", "copying", "closed", "failing", "unknown",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ArchiveFailure:
    """Why nothing is copied, and what to do about it."""

    code: str
    message: str
    remedy: str


@dataclass(frozen=True, slots=True)
class ArchiveWork:
    """The copying of an archive's plugin. Times are RFC 3339 texts; None where there is none."""

    state: str = UNKNOWN
    failure: ArchiveFailure | None = None
    failing_since: str | None = None
    next_try_at: str | None = None
    bytes_per_second: float = 0.0
    ends_at: str | None = None


@runtime_checkable
class ObservedArchive(Protocol):
    """What an archive may have in addition, so that the storage panel shows its copying."""

    name: str

    def work(self) -> ArchiveWork:
        """The state of the copying; UNKNOWN when nobody reports it. Does not ask the store itself."""

    def retry(self) -> None:
        """End the pauses after failures."""

    def start_test(self) -> str:
        """Start a job that tests the connection; returns its id. Called during a request.

        The result of the job has `is_ok` and `steps`, each with `is_ok`; one that failed has a `reason` with `message`
        and `remedy`.
        """
