"""Replies that go on: pieces are sent as they come, and no thread waits for them."""

from collections.abc import Callable
from typing import Protocol


class PushSource(Protocol):
    """The pieces of one reply. All methods but `pull` are quick."""

    #: After this time without a piece, `heartbeat` is sent.
    heartbeat_seconds: float

    def listen(self, wake: Callable[[], None]) -> None:
        """From now on call `wake`, in any thread, when there is something to take."""

    @property
    def must_pull(self) -> bool:
        """Whether `pull` is to be called before the next `take`."""

    def pull(self) -> None:
        """Fetch pieces in a thread, which may take time."""

    def take(self) -> bytes | None:
        """What there is now, empty if there is nothing; None at the end."""

    def heartbeat(self) -> bytes:
        """What shows that the connection is alive."""

    def close(self) -> None:
        """Give everything back. May be called twice."""
