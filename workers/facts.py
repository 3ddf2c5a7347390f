"""Tells plugins what a worker has made; the plugins of a process are found once, when there is something to tell."""

import threading
from typing import Any

import pluggy

from gateway.plugin_manager import create_plugin_manager, notify

_lock = threading.Lock()
_found: list[pluggy.PluginManager] = []


def report_fact(hook: str, **facts: Any) -> None:
    """Call an `on_*` hook of every plugin; what one raises is logged with its name."""
    with _lock:
        if not _found:
            _found.append(create_plugin_manager())
    notify(_found[0], hook, **facts)
