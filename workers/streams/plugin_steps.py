"""Runs a plugin's steps in the thread of its source: with a time limit, and with SourceError as the only error."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from gateway.sources.tracks import SourceError
from gateway.states import REASONS
from workers.streams.source_threads import SourceThread

log = logging.getLogger(__name__)


class PluginSteps:
    """The steps of one plugin's source; use it on one loop."""

    def __init__(self, plugin: str, thread: SourceThread) -> None:
        self._plugin = plugin
        self._thread = thread

    async def run(self, step: Callable[[], Awaitable[Any]], seconds: float | None) -> Any:
        """Call `step` in the plugin's thread and wait for its result; `seconds` None: without a limit."""
        try:
            async with asyncio.timeout(seconds):
                return await asyncio.wrap_future(self._thread.run(_contain(step)))
        except TimeoutError:
            raise SourceError("timed_out", f"the plugin '{self._plugin}' did not answer within {seconds:g} s") from None
        except SourceError as error:
            if error.reason in REASONS:
                raise
            raise self.failure(f"its reason is '{str(error.reason)[:40]}'") from error
        except _PluginRaised as raised:
            log.exception("plugin '%s' failed with a source", self._plugin, exc_info=raised.__cause__)
            raise self.failure(f"it raised {type(raised.__cause__).__name__}") from None
        except asyncio.CancelledError:
            if asyncio.current_task().cancelling():
                raise
            raise self.failure("it cancelled its own step") from None

    def failure(self, what: str) -> SourceError:
        """The error of a plugin that does something wrong."""
        return SourceError("source_failed", f"the plugin '{self._plugin}' failed: {what}")


class _PluginRaised(Exception):
    """A plugin raised something else than a SourceError: the cause."""


async def _contain(step: Callable[[], Awaitable[Any]]) -> Any:
    try:
        return await step()
    except (SourceError, asyncio.CancelledError):
        raise
    except BaseException as error:
        raise _PluginRaised from error
