"""`python -m workers.plugins.facts_process PLUGIN PIPE PARENT`: calls the `on_*` hooks of one plugin.

Started by the plugins worker alone. The facts come from the Redis Stream to which all processes write them, in order.
The position is stored before a call: a fact that ends this process is not given to the plugin again.
"""

import logging
import os
import socket
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from functools import partial

import redis

from gateway.isolation.guard import GUARD
from gateway.isolation.problems import ProblemReports
from gateway.isolation.threads import PluginThread, note_slow_calls
from gateway.plugin_facts import MOST_FACTS, STREAM, decode_fact, hooks_elsewhere, log_failure
from gateway.plugin_loading import load_plugins
from gateway.plugin_manager import PluginManager
from gateway.redis_client import connect_redis
from gateway.redis_values import accept
from workers.plugins.child_side import end_child, start_child
from workers.stop_signal import StopSignal

log = logging.getLogger(__name__)

#: A call that takes longer ends this process, which is started again.
STUCK_SECONDS = 60.0
_COUNT = 64
_WAIT_MS = 500
_LOOK_SECONDS = 0.25
_REPORT_SECONDS = 3.0
_AWAY_SECONDS = 1.0
_FIRST = b"0-0"


class Stuck(Exception):
    """A hook does not return."""


class FactReader:
    """The facts of one plugin. `turn` reads and delivers; `look` is called several times a second meanwhile."""

    def __init__(self, client: redis.Redis, manager: PluginManager, plugin: str, look: Callable[[], None]) -> None:
        self._redis = client
        self._manager = manager
        self._plugin = plugin
        self._look = look
        self._hooks = frozenset(hooks_elsewhere(manager, plugin))
        self._thread = PluginThread(plugin, f"facts {plugin}")
        self._key = f"vas:facts:{plugin}"
        self._after: bytes | None = None

    def turn(self) -> None:
        """Deliver the facts that are there, or wait a moment for some. Raises redis.RedisError and Stuck."""
        if self._after is None:
            self._after = self._redis.get(self._key) or self._newest()
            self._redis.set(self._key, self._after)
        found = self._redis.xread({STREAM: self._after}, count=_COUNT, block=_WAIT_MS) or []
        for entry_id, fields in found[0][1] if found else []:
            self._note_lost(entry_id)
            self._redis.set(self._key, entry_id)
            self._after = entry_id
            fact = accept(self._redis, "fact", lambda f=fields: decode_fact(f.get(b"fact", b"")))
            if fact is not None and fact[0] in self._hooks:
                self._deliver(*fact)
            self._look()

    def _newest(self) -> bytes:
        """A plugin that is new gets the facts from now on."""
        newest = self._redis.xrevrange(STREAM, count=1)
        return newest[0][0] if newest else _FIRST

    def _note_lost(self, entry_id: bytes) -> None:
        """Facts are lost if the next one is the oldest of a stream that was cut."""
        is_cut = self._after != _FIRST and self._redis.xlen(STREAM) >= MOST_FACTS
        oldest = self._redis.xrange(STREAM, count=1) if is_cut else []
        if oldest and oldest[0][0] == entry_id:
            GUARD.problems.note(self._plugin, "lost facts", "facts were not delivered: it is too slow")
            log.error("plugin '%s' is too slow: facts after %s are lost", self._plugin, self._after.decode())

    def _deliver(self, hook: str, arguments: dict) -> None:
        for implementation in getattr(self._manager.hook, hook).get_hookimpls():
            if implementation.plugin_name == self._plugin:
                future = self._thread.submit(hook, self._manager.call, implementation, arguments)
                future.add_done_callback(partial(log_failure, self._plugin, hook))
                self._await(hook, future)

    def _await(self, hook: str, future: Future) -> None:
        began = time.monotonic()
        while not future.done():
            try:
                future.exception(_LOOK_SECONDS)
            except FutureTimeoutError:
                if time.monotonic() - began > STUCK_SECONDS:
                    raise Stuck(f"'{hook}' has not returned for {STUCK_SECONDS:g} s") from None
            self._look()


def main(plugin: str, descriptor: str, parent: str) -> None:
    """Deliver facts until a signal arrives."""
    stop = StopSignal()
    config, told = start_child(f"{plugin}/facts", descriptor, parent)
    GUARD.watch(config.var_dir)
    told.beat()
    manager = load_plugins(config)
    client = connect_redis(config.redis_url)
    worker = f"{socket.gethostname()}:{os.getpid()}"
    reports, next_report = ProblemReports(client), 0.0
    told.tell(running=1)

    def look() -> None:
        nonlocal next_report
        told.beat()
        if stop.is_set():
            raise KeyboardInterrupt
        if time.monotonic() >= next_report:
            next_report = time.monotonic() + _REPORT_SECONDS
            note_slow_calls()
            reports.report("plugins", worker, GUARD.problems.list())

    reader = FactReader(client, manager, plugin, look)
    last_error = ""
    try:
        while True:
            try:
                look()
                reader.turn()
                last_error = ""
            except redis.RedisError as error:
                if str(error) != last_error:
                    log.warning("facts cannot be read now: %s", error)
                last_error = str(error)
                stop.wait(_AWAY_SECONDS)
    except KeyboardInterrupt:
        end_child(0)
    except Stuck as stuck:
        told.tell(error=str(stuck))
        end_child(1)


if __name__ == "__main__":
    main(*sys.argv[1:])
