"""The memory of an outputs worker: one that grows without end is ended before the system ends another process."""

import logging
import os
import signal
from collections.abc import Callable
from pathlib import Path

from gateway.isolation.guard import GUARD

log = logging.getLogger(__name__)

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def read_memory() -> int:
    """Resident memory of this process in bytes; 0 where the system does not tell."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE_BYTES
    except (OSError, ValueError, IndexError):
        return 0


class MemoryLimit:
    """Asks this process to stop in order when it needs more memory than its limit.

    That counts as a death of the plugin whose outputs run here. Of several it is not known which one leaks, and none
    is blamed: `process` gives each a process of its own.
    """

    def __init__(
        self,
        kind: str,
        most_bytes: int,
        plugins: Callable[[], set[str]],
        *,
        read: Callable[[], int] = read_memory,
        stop: Callable[[], None] = lambda: os.kill(os.getpid(), signal.SIGTERM),
    ) -> None:
        self._kind, self._most, self._plugins = kind, most_bytes, plugins
        self._read, self._stop = read, stop
        self._is_over = False

    def check(self) -> None:
        """Stop the process if it is over its limit; to be repeated every few seconds."""
        used = self._read()
        if used <= self._most or self._is_over:
            return
        self._is_over = True
        plugins = sorted(self._plugins())
        log.error(
            "this worker needs %d MB, more than OUTPUT_MEMORY_MB: it ends, and is to be started again (outputs of %s)",
            used >> 20,
            ", ".join(f"'{plugin}'" for plugin in plugins) or "no plugin",
        )
        if len(plugins) == 1:
            GUARD.count_death(self._kind, plugins[0], "memory")
        self._stop()
