"""The outcome of an attempt, and what senders get."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended.

    `is_final`: another attempt is useless. `is_gone`: the receiver says that it is gone for good, so that its channel
    is disabled. `retry_after_seconds`: the pause that the receiver asks for. `progress` is kept with the delivery and
    given to the next attempt.
    """

    ok: bool
    status: int | None = None
    answer: str = ""
    reason: str = ""
    error: str = ""
    is_final: bool = False
    is_gone: bool = False
    retry_after_seconds: float | None = None
    progress: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """A notification for one channel. `id` is the same in all attempts: receivers drop repeats by it.

    `at_ms` is when the notification was made; `picture` a JPEG or None.
    """

    id: str
    type: str
    at_ms: int
    title: str
    text: str
    data: dict[str, Any] = field(default_factory=dict)
    picture: bytes | None = field(default=None, repr=False)
    progress: dict[str, Any] = field(default_factory=dict)
    #: A snapshot's id, and an address of the UI, without the host.
    snapshot_id: str | None = None
    link: str = "/"
