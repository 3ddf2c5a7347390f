"""Calls of a consumption. Those of plugins run in a thread of their own: its supervisor never waits for ever."""

from collections.abc import Callable
from concurrent.futures import TimeoutError as FutureTimeoutError
from time import monotonic
from typing import Any

from gateway.errors import PluginError
from gateway.isolation.threads import PluginThread

#: A call that takes longer is named in the state; one that takes much longer is left to its thread.
BLOCKED_SECONDS, GIVEN_UP_SECONDS = 10.0, 60.0
#: Calls that were left to their threads and have not returned: with more, the output is not attached again.
MOST_LEFT = 3
_LOOK_SECONDS = 0.25
_CLOSE_SECONDS = 10.0


class OutputBlocked(PluginError):
    """A call of the output does not return: it is left to its thread, and the output attached again later."""


class DirectCalls:
    """Calls in the supervisor's own thread, for the recorder."""

    is_left = False

    def run(self, step: str, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call a method of the consumption."""
        return function(*arguments)

    def can_attach(self) -> bool:
        """Whether the output may be attached now."""
        return True

    def close(self, finish: Callable[[], None]) -> None:
        """End the consumption."""
        finish()

    def end(self) -> None:
        """The supervisor ends."""


class GuardedCalls:
    """Calls in a thread of this output and device. `look` is called while one is awaited, and may raise to leave it."""

    def __init__(self, plugin: str, name: str, look: Callable[[str | None], None]) -> None:
        self._thread = PluginThread(plugin, name)
        self._look = look

    def run(self, step: str, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call a method and wait for it. Raises OutputBlocked, what `look` raises, and what the method raises."""
        future = self._thread.submit(step, function, *arguments)
        began = monotonic()
        while True:
            try:
                return future.result(_LOOK_SECONDS)
            except FutureTimeoutError:
                if future.done():
                    return future.result()
            waited = monotonic() - began
            self._look(f"'{step}' has not returned for {waited:.0f} s" if waited >= BLOCKED_SECONDS else None)
            if waited >= GIVEN_UP_SECONDS:
                raise OutputBlocked(f"'{step}' has not returned for {waited:.0f} s")

    def can_attach(self) -> bool:
        """Whether the output may be attached now: not while too many of its calls hang."""
        return self._thread.abandoned() < MOST_LEFT

    def close(self, finish: Callable[[], None]) -> None:
        """End the consumption: now, or in its thread when the call that hangs there returns."""
        if self._thread.busy is not None:
            self._thread.abandon(finish)
            return
        try:
            self._thread.submit("close", finish).result(_CLOSE_SECONDS)
        except FutureTimeoutError:
            self._thread.abandon()
            raise OutputBlocked(f"'close' has not returned for {_CLOSE_SECONDS:g} s") from None

    def end(self) -> None:
        """The supervisor ends: its thread does so too."""
        self._thread.close()
