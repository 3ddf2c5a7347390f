"""Reports the facts of a worker to plugins; a process loads its plugins once, at the first report."""

import threading
from typing import Any

import pluggy

from gateway.plugin_manager import create_plugin_manager, notify

_lock = threading.Lock()
_found: list[pluggy.PluginManager] = []


def report_fact(hook: str, **facts: Any) -> None:
    """Call an `on_*` hook of every plugin; an exception is logged with the plugin's name."""
    with _lock:
        if not _found:
            _found.append(create_plugin_manager())
    notify(_found[0], hook, **facts)
