"""Calls of plugins in threads of their own: whatever the plugin does there, its caller goes on."""

import contextlib
import logging
import queue
import threading
import time
import weakref
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from functools import partial
from typing import Any, Protocol

from gateway.errors import PluginError
from gateway.isolation.guard import GUARD

log = logging.getLogger(__name__)

#: A call that takes longer is named in the log, in health and in the list of plugins.
SLOW_SECONDS = 10.0


class Caller(Protocol):
    """A thread that calls a plugin. `busy`: the step of the present call, and since when (monotonic)."""

    plugin: str
    name: str
    busy: tuple[str, float] | None


_CALLERS: "weakref.WeakSet[Caller]" = weakref.WeakSet()


def watch_calls(caller: Caller) -> None:
    """Name the calls of this thread that do not return (`note_slow_calls`), as long as it lives."""
    _CALLERS.add(caller)


class PluginQuit(PluginError):
    """A plugin tried to end its thread or process, by SystemExit or KeyboardInterrupt for example."""


class PluginLate(PluginError):
    """A plugin has not returned in time; the call goes on in its thread."""


class PluginBusy(PluginError):
    """More calls wait for a plugin than its queue takes."""


class PluginThread:
    """Runs the calls of one plugin in order, in a daemon thread that starts with the first.

    `abandon` leaves a call that does not return to its thread; later calls run in another one.
    """

    def __init__(self, plugin: str, name: str, *, most_waiting: int = 1000, is_marked: bool = True) -> None:
        """`is_marked` False: the calls run nothing of the plugin in this process."""
        self.plugin = plugin
        self.name = name
        self._marked_as = plugin if is_marked else ""
        self._queue: queue.Queue[tuple[Future, str, Callable[[], Any]] | None] = queue.Queue(most_waiting)
        self._lock = threading.Lock()
        self._running: _Running | None = None
        self._abandoned: list[_Running] = []
        self._is_closed = False
        watch_calls(self)

    def submit(self, step: str, function: Callable[..., Any], *arguments: Any, **values: Any) -> Future:
        """Run a call after those before it. Raises PluginBusy."""
        future: Future = Future()
        with self._lock:
            try:
                self._queue.put_nowait((future, step, partial(function, *arguments, **values)))
            except queue.Full:
                raise PluginBusy(f"plugin '{self.plugin}' is too slow: {self._queue.maxsize} calls wait") from None
            if self._running is None and not self._is_closed:
                self._running = _Running(self._marked_as, self.name, self._queue)
        return future

    def call(self, step: str, function: Callable[..., Any], *arguments: Any, seconds: float) -> Any:
        """Run a call and return its result. Raises PluginLate, PluginQuit, and what the call raises."""
        future = self.submit(step, function, *arguments)
        try:
            return future.result(seconds)
        except FutureTimeoutError:
            if future.done():
                return future.result()
            raise PluginLate(f"{step} did not return within {seconds:g} s") from None

    @property
    def busy(self) -> tuple[str, float] | None:
        """The step of the present call, and since when (monotonic); None without a call."""
        running = self._running
        return running.call if running is not None else None

    @property
    def waiting(self) -> int:
        """The number of calls that wait."""
        return self._queue.qsize()

    def abandoned(self) -> int:
        """The number of calls that were abandoned and have not returned."""
        self._abandoned = [one for one in self._abandoned if one.call is not None]
        return len(self._abandoned)

    def abandon(self, finish: Callable[[], None] | None = None) -> None:
        """Leave the present call to its thread; `finish` is called there if it ever returns."""
        with self._lock:
            running, self._running = self._running, None
            if running is None:
                return
            waiting = self._queue
            self._queue = queue.Queue(waiting.maxsize)
            while True:
                try:
                    self._queue.put_nowait(waiting.get_nowait())
                except queue.Empty:
                    break
            running.finish = finish
            waiting.put_nowait(None)
            self._abandoned.append(running)
            if not self._queue.empty():
                self._running = _Running(self._marked_as, self.name, self._queue)

    def close(self, seconds: float = 0.0) -> None:
        """Let calls that wait run for up to `seconds`, then end the thread. May be called twice."""
        deadline = time.monotonic() + seconds
        while (self.waiting or self.busy) and time.monotonic() < deadline:
            time.sleep(0.01)
        with self._lock:
            self._is_closed = True
            running, self._running = self._running, None
        if running is not None:
            try:
                self._queue.put_nowait(None)
            except queue.Full:
                running.is_ending = True


class _Running:
    """One thread and the queue that it serves."""

    def __init__(self, plugin: str, name: str, waiting: queue.Queue) -> None:
        self.call: tuple[str, float] | None = None
        self.finish: Callable[[], None] | None = None
        self.is_ending = False
        self._plugin = plugin
        self._waiting = waiting
        threading.Thread(target=self._serve, name=name[:40], daemon=True).start()

    def _serve(self) -> None:
        while not self.is_ending and (item := self._waiting.get()) is not None:
            future, step, function = item
            if future.set_running_or_notify_cancel():
                self.call = step, time.monotonic()
                _run(self._plugin, step, future, function)
                self.call = None
            del item, future, function
        if self.finish is not None:
            _run(self._plugin, "close", Future(), self.finish)
        GUARD.leave_thread()


def _run(plugin: str, step: str, future: Future, function: Callable[[], Any]) -> None:
    try:
        with GUARD.inside(plugin, step) if plugin else contextlib.nullcontext():
            result = function()
    except Exception as error:
        future.set_exception(error)
    except BaseException as error:
        # SystemExit and KeyboardInterrupt would end the thread that asks for the result.
        quit_ = PluginQuit(f"it raised {type(error).__name__}")
        quit_.__cause__ = error
        future.set_exception(quit_)
    else:
        future.set_result(result)


def call_once(plugin: str, step: str, function: Callable[..., Any], *arguments: Any, seconds: float) -> Any:
    """Run one call in a thread of its own. Raises PluginLate, PluginQuit, and what the call raises."""
    thread = PluginThread(plugin, f"{plugin} {step}")
    try:
        return thread.call(step, function, *arguments, seconds=seconds)
    finally:
        thread.close()


def note_slow_calls() -> None:
    """Note the calls of this process that have not returned for SLOW_SECONDS; to be repeated every few seconds."""
    now = time.monotonic()
    for caller in list(_CALLERS):
        busy = caller.busy
        topic = f"slow {caller.name} {id(caller)}"
        if busy is not None and now - busy[1] >= SLOW_SECONDS:
            reason = f"'{busy[0]}' has not returned for {now - busy[1]:.0f} s"
            if GUARD.problems.note(caller.plugin, topic, reason, remedy="see the plugin's documentation and log"):
                log.warning("plugin '%s' is slow (plugin_slow): %s", caller.plugin, reason)
        elif GUARD.problems.clear(caller.plugin, topic):
            log.info("plugin '%s' has returned", caller.plugin)
