"""The stream of events of one client: what it missed, then what comes, within bounds."""

import logging
import threading
from collections import Counter, deque
from collections.abc import Callable

from gateway.api.events.views import encode_event, encode_reset
from gateway.errors import Unavailable
from gateway.events.feed import EventFeed
from gateway.events.following import BATCH
from gateway.events.selection import EventFilter, list_after
from gateway.tenancy.scopes import TenantScope

logger = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 15.0
#: The time after which a client that lost its connection comes again.
RETRY_MS = 2000
#: A client for which more than this waits is cut off: it comes again, and goes on where it was.
MAX_WAITING_BYTES = 1 << 20


class ListenerPlaces:
    """Counts the open streams of a process, in all and by client. Thread-safe."""

    def __init__(self, most: int, most_per_client: int) -> None:
        self._most = most
        self._most_per_client = most_per_client
        self._by_client: Counter[str] = Counter()
        self._lock = threading.Lock()

    def take(self, client: str) -> Callable[[], None] | None:
        """Take a place; returns what gives it back, once, or None if all are taken."""
        with self._lock:
            if self._by_client.total() >= self._most or self._by_client[client] >= self._most_per_client:
                return None
            self._by_client[client] += 1
        return lambda: self._give_back(client)

    @property
    def taken(self) -> int:
        with self._lock:
            return self._by_client.total()

    def _give_back(self, client: str) -> None:
        with self._lock:
            self._by_client[client] -= 1
            if not self._by_client[client]:
                del self._by_client[client]


class EventStream:
    """A listener of the feed whose pieces the front sends."""

    heartbeat_seconds = HEARTBEAT_SECONDS

    def __init__(
        self,
        feed: EventFeed,
        scope: TenantScope,
        criteria: EventFilter,
        *,
        after: int | None = None,
        reset: str | None = None,
        give_back: Callable[[], None] = lambda: None,
    ) -> None:
        """`after`: the position from which to go on; None for what comes from now on. `reset`: why events may be
        missing before. Raises DatabaseUnavailable."""
        self.criteria = criteria
        self._feed = feed
        self._scope = scope
        self._wake: Callable[[], None] = lambda: None
        self._lock = threading.Lock()
        self._live: deque[bytes] = deque()
        self._live_bytes = 0
        self._is_cut = self._is_closed = False
        self._give_back = give_back
        self._until, self._position = feed.join(self)
        self._missed_after = after
        first = f"retry: {RETRY_MS}\n" + (f"id: {self._position}\n" if after is None else "") + "\n"
        self._ready: list[bytes] = [first.encode(), *([encode_reset(reset)] if reset else [])]

    # ---- the feed's side ----------------------------------------------------------------------------------------

    def offer(self, piece: bytes) -> None:
        with self._lock:
            if self._is_cut:
                return
            self._live.append(piece)
            self._live_bytes += len(piece)
            if self._live_bytes > MAX_WAITING_BYTES:
                self._is_cut = True
                self._live.clear()
        self._wake()

    def note_position(self, position: int) -> None:
        self._position = position

    # ---- the front's side ---------------------------------------------------------------------------------------

    def listen(self, wake: Callable[[], None]) -> None:
        self._wake = wake

    @property
    def must_pull(self) -> bool:
        return self._missed_after is not None and not self._ready

    def pull(self) -> None:
        """Read the next events that the client has missed; while the database is away, the stream ends."""
        try:
            rows = list_after(self._scope, self.criteria, self._missed_after, until=self._until, limit=BATCH)
        except Unavailable as error:
            logger.debug("a stream of events ends: %s", error)
            self._is_cut = True
            return
        self._ready += [encode_event(row, min(row.cursor, self._position)) for row in rows]
        self._missed_after = rows[-1].cursor if len(rows) == BATCH else None

    def take(self) -> bytes | None:
        if self._ready:
            ready, self._ready = b"".join(self._ready), []
            return ready
        if self._missed_after is not None and not self._is_cut:
            return b""
        with self._lock:
            if self._is_cut:
                return None
            live = b"".join(self._live)
            self._live.clear()
            self._live_bytes = 0
            return live

    def heartbeat(self) -> bytes:
        """A comment, with the position: a client whose filter matches seldom need not go back far."""
        return f"id: {self._position}\n:\n\n".encode()

    def close(self) -> None:
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
        self._feed.leave(self)
        self._give_back()
