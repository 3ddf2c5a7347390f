"""The feed of events in a web process: one thread reads the table for all who listen.

It is woken through Redis; without Redis it looks every two seconds. While the database is away, the listeners stay.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any, Protocol

import redis
from redis.exceptions import RedisError

from gateway.events.bell import MAX_PASSING_BYTES, PASSING_CHANNEL, WAKE_CHANNEL
from gateway.events.following import BATCH, Follower
from gateway.events.model import Event
from gateway.events.selection import EventFilter
from gateway.redis_values import accept, is_id, is_text, parse_object, require

logger = logging.getLogger(__name__)

#: Seconds between two looks at the table: a wake-up may be lost, or Redis away.
_LOOK_SECONDS, _BLIND_SECONDS = 5.0, 2.0
#: After a look, the next one waits so long: events that come in a moment are read together.
_PAUSE_SECONDS = 0.02
#: For so long after the last listener has gone the thread stays.
_LINGER_SECONDS = 10.0


class Listener(Protocol):
    """Somebody who gets the events that a filter matches. Both methods are called by the feed's thread, and quick."""

    criteria: EventFilter

    def offer(self, piece: bytes) -> None:
        """Take encoded events, or passing facts."""

    def note_position(self, position: int) -> None:
        """Take the cursor up to which nothing was missed."""


class EventFeed:
    """Gives new events to listeners. Thread-safe."""

    def __init__(
        self,
        client: redis.Redis,
        encode: Callable[[Event, int], bytes],
        encode_passing: Callable[[dict[str, Any]], bytes],
    ) -> None:
        """`encode(event, position)` is called once per event that is wanted; `position` is where to resume after it."""
        self._redis = client
        self._encode = encode
        self._encode_passing = encode_passing
        self._lock = threading.Lock()
        self._starting = threading.Lock()
        self._looking = threading.Lock()
        self._listeners: dict[EventFilter, set[Listener]] = {}
        self._follower: Follower | None = None
        #: The greatest cursor that was read, and the position of the follower.
        self._reached = (0, 0)
        self._empty_since = 0.0
        self._is_failing = False

    def position(self) -> int:
        """The cursor up to which everything is known now. Raises DatabaseUnavailable."""
        self._start()
        self._look(raises=True)
        with self._lock:
            return self._reached[1]

    def join(self, listener: Listener) -> tuple[int, int]:
        """Give a listener what comes from now on. Returns the cursor of the last event before that, and the position
        from which nothing is missed. Raises DatabaseUnavailable."""
        self._start()
        with self._lock:
            self._listeners.setdefault(listener.criteria, set()).add(listener)
            return self._reached

    def leave(self, listener: Listener) -> None:
        """Give a listener nothing more. May be called twice."""
        with self._lock:
            listeners = self._listeners.get(listener.criteria, set())
            listeners.discard(listener)
            if not listeners:
                self._listeners.pop(listener.criteria, None)
            if not self._listeners:
                self._empty_since = time.monotonic()

    def _start(self) -> None:
        """Start the thread unless it runs; it stays for a while."""
        with self._starting:
            with self._lock:
                self._empty_since = time.monotonic()
                if self._follower is not None:
                    return
            follower = Follower.from_now()
            with self._lock:
                self._follower = follower
                self._reached = follower.last, follower.position
            threading.Thread(target=self._run, name="events-feed", daemon=True).start()

    def _run(self) -> None:
        pubsub: Any = None
        looked_at = 0.0
        while not self._is_over():
            pubsub, is_rung = self._listen(pubsub)
            due = _BLIND_SECONDS if pubsub is None else _LOOK_SECONDS
            if is_rung or time.monotonic() - looked_at >= due:
                time.sleep(_PAUSE_SECONDS)
                looked_at = time.monotonic()
                self._look()
        if pubsub is not None:
            pubsub.close()

    def _is_over(self) -> bool:
        with self._lock:
            if self._listeners or time.monotonic() - self._empty_since < _LINGER_SECONDS:
                return False
            self._follower = None
            return True

    def _listen(self, pubsub: Any) -> tuple[Any, bool]:
        """Wait for a moment or a wake-up, and pass passing facts on. Returns the subscription, None without Redis."""
        try:
            if pubsub is None:
                pubsub = self._redis.pubsub(ignore_subscribe_messages=True)
                pubsub.subscribe(WAKE_CHANNEL, PASSING_CHANNEL)
                return pubsub, True
            message = pubsub.get_message(timeout=1.0)
            is_rung = False
            while message is not None:
                if message["channel"] == PASSING_CHANNEL.encode():
                    self._pass_on(message["data"])
                else:
                    is_rung = True
                message = pubsub.get_message()
            return pubsub, is_rung
        except (RedisError, OSError) as error:
            logger.debug("the feed of events is not woken now: %s", error)
            if pubsub is not None:
                pubsub.close()
            time.sleep(_BLIND_SECONDS)
            return None, False

    def _look(self, *, raises: bool = False) -> None:
        """Give everything that is new to the listeners; one thread at a time, so that they get it in order."""
        try:
            with self._looking:
                while self._follower is not None and self._look_once(self._follower) == BATCH:
                    pass
            self._is_failing = False
        except Exception as error:
            if raises:
                raise
            if not self._is_failing:
                self._is_failing = True
                logger.warning("the feed of events waits: %s", error)

    def _look_once(self, follower: Follower) -> int:
        before = follower.last
        rows = follower.read()
        position = follower.position
        # A listener that joins either gets these rows, or is told that they came before it.
        with self._lock:
            self._reached = follower.last, position
            groups = {criteria: list(members) for criteria, members in self._listeners.items()}
        self._give(rows, before, position, groups)
        return len(rows)

    def _give(self, rows: list[Event], before: int, position: int, groups: dict[EventFilter, list[Listener]]) -> None:
        encoded: dict[int, bytes] = {}
        for criteria, members in groups.items():
            pieces = []
            for row in rows:
                if criteria.matches(row):
                    if row.cursor not in encoded:
                        # After a late event all later ones of this batch are still to come.
                        reached = before if row.cursor <= before else row.cursor
                        encoded[row.cursor] = self._encode(row, min(reached, position))
                    pieces.append(encoded[row.cursor])
            _offer(members, pieces)
            for member in members:
                member.note_position(position)

    def _pass_on(self, data: bytes) -> None:
        fact = accept(self._redis, "passing fact", lambda: _parse_passing(data))
        if fact is None:
            return
        with self._lock:
            groups = {criteria: list(members) for criteria, members in self._listeners.items()}
        piece: bytes | None = None
        for criteria, members in groups.items():
            if criteria.matches_passing(fact):
                piece = piece or self._encode_passing(fact)
                _offer(members, [piece])


def _offer(members: Iterable[Listener], pieces: list[bytes]) -> None:
    if pieces:
        piece = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        for member in members:
            member.offer(piece)


def _parse_passing(data: bytes) -> dict[str, Any]:
    require(len(data) <= 2 * MAX_PASSING_BYTES, "it is too large")
    fact = parse_object(data)
    require(is_id(fact.get("tenant_id")), "'tenant_id' is not an id")
    require(fact.get("device_id") is None or is_id(fact["device_id"]), "'device_id' is not an id")
    require(is_id(str(fact.get("kind", "")).replace(".", "_")), "'kind' is not a word")
    require(fact.get("plugin") is None or is_text(fact["plugin"], 100), "'plugin' is not a name")
    require(isinstance(fact.get("data"), dict), "'data' is not an object")
    return {name: fact.get(name) for name in ("tenant_id", "device_id", "kind", "plugin", "data")}
