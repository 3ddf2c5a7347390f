"""Asks outputs which devices they want, each in a thread of its own: one that hangs delays nothing."""

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError

from gateway.isolation.guard import GUARD
from gateway.isolation.threads import PluginThread
from gateway.outputs import ConsumerOutput
from gateway.redis_values import is_id

log = logging.getLogger(__name__)

#: Longest wait for all outputs together; then the last answers count.
ANSWER_SECONDS = 2.0
_MOST_DEVICES = 100_000


class WantedDevices:
    """The devices that outputs want. `read` returns within ANSWER_SECONDS, or the `seconds` it is given."""

    def __init__(self, outputs: list[ConsumerOutput], monotonic: Callable[[], float] = time.monotonic) -> None:
        self._asked = [_Asked(output) for output in outputs]
        self._monotonic = monotonic

    def read(self, seconds: float | None = None) -> dict[str, list[str]]:
        """The devices of each output, by its name; those of its last answer if it fails or does not answer now."""
        for asked in self._asked:
            asked.begin()
        deadline = self._monotonic() + (ANSWER_SECONDS if seconds is None else seconds)
        for asked in self._asked:
            asked.finish(max(0.0, deadline - self._monotonic()))
        return {asked.output.name: asked.answer for asked in self._asked}

    def counts(self) -> dict[str, int]:
        """How many answers each output has given so far, by its name."""
        return {asked.output.name: asked.count for asked in self._asked}


class _Asked:
    def __init__(self, output: ConsumerOutput) -> None:
        self.output = output
        self.answer: list[str] = []
        self.count = 0
        self._plugin = getattr(output, "plugin", "") or output.name
        self._thread = PluginThread(self._plugin, f"wanted {output.name}")
        self._future: Future | None = None

    def begin(self) -> None:
        if self._future is None and GUARD.aside(self._plugin) is None:
            self._future = self._thread.submit("wanted", self.output.wanted)

    def finish(self, seconds: float) -> None:
        if self._future is None:
            return
        topic = f"wanted {self.output.name}"
        try:
            self.answer = _check(self._future.result(seconds))
        except FutureTimeoutError:
            if not self._future.done():
                text = f"output '{self.output.name}' does not say which devices it wants: its last answer counts"
                if GUARD.problems.note(self._plugin, topic, text):
                    log.warning("plugin '%s' is slow (plugin_slow): %s", self._plugin, text)
                return
            self._note(topic, TimeoutError("it timed out"))
        except Exception as error:
            self._note(topic, error)
        else:
            self.count += 1
            GUARD.problems.clear(self._plugin, topic)
        self._future = None

    def _note(self, topic: str, error: Exception) -> None:
        text = f"output '{self.output.name}' failed to list the devices it wants: {error}"
        if GUARD.problems.note(self._plugin, topic, text):
            log.error(text, exc_info=error)


def _check(answer: object) -> list[str]:
    if not isinstance(answer, list | tuple | set | frozenset) or len(answer) > _MOST_DEVICES:
        raise TypeError(f"it must return a list of ids, not {type(answer).__name__}")
    wrong = next((one for one in answer if not is_id(one)), None)
    if wrong is not None:
        raise TypeError(f"{wrong!r:.60} is not the id of a device")
    return list(answer)
