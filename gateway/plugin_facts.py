"""Facts for plugins (`on_*` hooks): kept away from the processes in which they happen.

A process that reports a fact writes it to a Redis Stream, by a thread of its own, and goes on. The `plugins` worker
reads the stream and calls the implementations. Only those that are marked `in_process` are called where the fact
happens, each plugin's in a thread of its own.
"""

import atexit
import dataclasses
import json
import logging
import threading
import time
import typing
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any

import redis

from gateway.hookspecs import Hooks, runs_in_process
from gateway.isolation.guard import GUARD
from gateway.isolation.threads import PluginBusy, PluginThread
from gateway.plugin_manager import PluginManager
from gateway.redis_values import RefusedValue, parse_object, require

log = logging.getLogger(__name__)

#: The stream of facts, and how many it keeps: a plugin that is further behind loses the oldest.
STREAM, MOST_FACTS = "vas:facts", 10_000
#: Facts that wait in a process for Redis, or for a plugin that runs in it; further ones are lost, and counted.
_MOST_WAITING = 1000
_MOST_BYTES = 1 << 17
_END_SECONDS = 2.0
_RETRY_SECONDS = 1.0


def hooks_elsewhere(manager: PluginManager, plugin: str) -> list[str]:
    """The `on_*` hooks of a plugin that the plugins worker calls."""
    return [
        name
        for name, caller in vars(manager.hook).items()
        if name.startswith("on_")
        for implementation in caller.get_hookimpls()
        if implementation.plugin_name == plugin and not runs_in_process(implementation, caller.spec)
    ]


class FactRouter:
    """Reports the facts of one process to the plugins of its manager. `report` never waits."""

    def __init__(self, manager: PluginManager, connect: Callable[[], redis.Redis]) -> None:
        self._manager = manager
        self._threads: dict[str, PluginThread] = {}
        self._lost: dict[str, int] = {}
        self._lock = threading.Lock()
        self._outbox = FactOutbox(connect)
        atexit.register(self.close)

    def report(self, hook: str, arguments: dict[str, Any], *, only: str | None = None) -> None:
        """Report a fact to all plugins that implement the hook. `only`: to this one, for hooks that run here."""
        caller = getattr(self._manager.hook, hook)
        is_for_others = False
        for implementation in caller.get_hookimpls():
            if only not in (None, implementation.plugin_name):
                continue
            if runs_in_process(implementation, caller.spec):
                self._run_here(implementation, hook, arguments)
            else:
                is_for_others = True
        if is_for_others:
            self._outbox.put(hook, arguments)

    def close(self) -> None:
        """Give facts that wait up to two seconds. May be called twice."""
        deadline = time.monotonic() + _END_SECONDS
        self._outbox.close(_END_SECONDS)
        with self._lock:
            threads = list(self._threads.values())
        for thread in threads:
            thread.close(max(0.0, deadline - time.monotonic()))

    def _run_here(self, implementation: Any, hook: str, arguments: dict[str, Any]) -> None:
        name = implementation.plugin_name
        if GUARD.aside(name) is not None:
            return
        with self._lock:
            thread = self._threads.get(name)
            if thread is None:
                thread = self._threads[name] = PluginThread(name, f"facts {name}", most_waiting=_MOST_WAITING)
        try:
            future = thread.submit(hook, self._manager.call, implementation, arguments)
        except PluginBusy:
            self._lost[name] = self._lost.get(name, 0) + 1
            note_lost(name, self._lost[name])
        else:
            future.add_done_callback(partial(log_failure, name, hook))


class FactOutbox:
    """Writes facts to Redis in a thread that starts with the first. While Redis is away the newest wait."""

    def __init__(self, connect: Callable[[], redis.Redis]) -> None:
        self._connect = connect
        self._waiting: deque[str] = deque()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._is_closing = False
        self._lost = 0

    def put(self, hook: str, arguments: dict[str, Any]) -> None:
        """Write a fact soon."""
        try:
            text = encode_fact(hook, arguments)
        except (TypeError, ValueError):
            log.exception("a fact of %s cannot be written", hook)
            return
        with self._changed:
            self._waiting.append(text)
            if len(self._waiting) > _MOST_WAITING:
                self._waiting.popleft()
                self._lost += 1
                if self._lost & (self._lost - 1) == 0:
                    log.error("%d facts for plugins are lost: Redis is away", self._lost)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="facts", daemon=True)
                self._thread.start()
            self._changed.notify()

    def close(self, seconds: float) -> None:
        """Write what waits, for up to `seconds`. May be called twice."""
        with self._changed:
            self._is_closing = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(seconds)

    def _run(self) -> None:
        client: redis.Redis | None = None
        while True:
            with self._changed:
                while not self._waiting:
                    if self._is_closing:
                        return
                    self._changed.wait()
                texts = list(self._waiting)
            try:
                client = client or self._connect()
                pipeline = client.pipeline(transaction=False)
                for text in texts:
                    pipeline.xadd(STREAM, {"fact": text}, maxlen=MOST_FACTS, approximate=True)
                pipeline.execute()
            except redis.RedisError as error:
                log.debug("facts wait: %s", error)
                time.sleep(_RETRY_SECONDS)
                continue
            with self._changed:
                for text in texts:
                    # Some may have been dropped meanwhile.
                    if self._waiting and self._waiting[0] is text:
                        self._waiting.popleft()


def encode_fact(hook: str, arguments: dict[str, Any]) -> str:
    """A fact as JSON. Raises TypeError for a value that JSON has not, ValueError for one that is too long."""
    values = {
        name: dataclasses.asdict(value) if dataclasses.is_dataclass(value) else value
        for name, value in arguments.items()
    }
    text = json.dumps({"hook": hook, "arguments": values}, separators=(",", ":"))
    if len(text) > _MOST_BYTES:
        raise ValueError(f"a fact of {hook} has {len(text)} bytes")
    return text


def decode_fact(text: bytes) -> tuple[str, dict[str, Any]]:
    """The hook and the arguments of a fact. Raises RefusedValue."""
    require(len(text) <= _MOST_BYTES, "it is too long")
    fact = parse_object(text)
    hook, values = fact.get("hook"), fact.get("arguments")
    specification = vars(Hooks).get(hook) if isinstance(hook, str) and hook.startswith("on_") else None
    require(specification is not None, "it names no hook")
    hints = {name: hint for name, hint in typing.get_type_hints(specification).items() if name not in _NO_ARGUMENTS}
    require(isinstance(values, dict) and values.keys() == hints.keys(), "it has other arguments than its hook")
    return hook, {name: _decode(hint, values[name]) for name, hint in hints.items()}


_NO_ARGUMENTS = {"plugin", "return"}


def _decode(hint: Any, value: Any) -> Any:
    if not dataclasses.is_dataclass(hint):
        return value
    require(isinstance(value, dict), f"a {hint.__name__} is not an object")
    hints = typing.get_type_hints(hint)
    is_tuple = {name for name, of_field in hints.items() if (typing.get_origin(of_field) or of_field) is tuple}
    try:
        return hint(**{name: tuple(one) if name in is_tuple else one for name, one in value.items()})
    except TypeError as error:
        raise RefusedValue(f"it has other fields than a {hint.__name__}") from error


def note_lost(plugin: str, count: int) -> None:
    """A plugin is too slow for its facts: `count` were not delivered."""
    reason = f"{count} facts were not delivered: it is too slow"
    if GUARD.problems.note(plugin, "lost facts", reason, remedy="see the plugin's log") or count & (count - 1) == 0:
        log.error("plugin '%s': %s", plugin, reason)


def log_failure(plugin: str, hook: str, future: Future) -> None:
    """Log the exception of a call, if it raised one."""
    if not future.cancelled() and (error := future.exception()) is not None:
        log.error("plugin '%s' failed in %s", plugin, hook, exc_info=error)
