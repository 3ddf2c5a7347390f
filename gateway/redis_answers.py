"""Waits for answers in Redis: one thread and one connection for all requests of a process that wait for one.

An answer is the first item of a list with a key of its own.
"""

import logging
import secrets
import threading
from concurrent.futures import Future
from typing import Any

import redis
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

#: Longest blocking read; well below the time limit of the connection, or it would look like a Redis that hangs.
_BLOCK_SECONDS = 0.5
#: The list by which the thread learns of new keys expires by itself.
_WAKE_TTL_MS = 60_000


class RedisAnswers:
    """Futures for answers. Thread-safe."""

    def __init__(self, client: redis.Redis) -> None:
        """The time limit of `client` must be at least a second."""
        self._redis = client
        self._wake_key = f"vas:answers:{secrets.token_hex(8)}"
        self._lock = threading.Lock()
        self._waiting: dict[str, list[Future]] = {}
        self._thread: threading.Thread | None = None

    def expect(self, key: str, pipeline: Any = None) -> "Future[bytes]":
        """A future for the answer that is pushed to the list `key`; it gets the RedisError if Redis goes away.

        With `pipeline`, the thread is woken when that is executed, which the caller does next. Cancel the future, or
        call `forget`, to wait no longer. Raises RedisError.
        """
        future: Future = Future()
        with self._lock:
            self._waiting.setdefault(key, []).append(future)
        try:
            commands = self._redis.pipeline() if pipeline is None else pipeline
            self.wake(commands)
            if pipeline is None:
                commands.execute()
        except RedisError:
            self.forget(key, future)
            raise
        self._start()
        return future

    def wake(self, pipeline: Any) -> None:
        """Add to a pipeline what makes the thread look which answers are awaited."""
        pipeline.rpush(self._wake_key, 1)
        pipeline.pexpire(self._wake_key, _WAKE_TTL_MS)

    def forget(self, key: str, future: Future) -> None:
        """Wait no longer for an answer; one that comes before the thread is woken is lost."""
        future.cancel()
        with self._lock:
            waiting = self._waiting.get(key, [])
            if future in waiting:
                waiting.remove(future)
            if not waiting:
                self._waiting.pop(key, None)

    def _start(self) -> None:
        with self._lock:
            if self._thread is None and self._waiting:
                self._thread = threading.Thread(target=self._run, name="redis-answers", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            with self._lock:
                keys = list(self._waiting)
                if not keys:
                    self._thread = None
                    return
            try:
                popped = self._redis.blpop([self._wake_key, *keys], timeout=_BLOCK_SECONDS)
                if popped is not None:
                    self._give(popped[0].decode(), popped[1])
            except Exception as error:
                if not isinstance(error, RedisError):
                    logger.exception("reading answers failed")
                self._fail(keys, error)

    def _give(self, key: str, data: bytes) -> None:
        with self._lock:
            waiting = self._waiting.pop(key, [])
        for future in waiting:
            if future.set_running_or_notify_cancel():
                future.set_result(data)

    def _fail(self, keys: list[str], error: Exception) -> None:
        with self._lock:
            waiting = [future for key in keys for future in self._waiting.pop(key, [])]
        for future in waiting:
            if future.set_running_or_notify_cancel():
                future.set_exception(error)
