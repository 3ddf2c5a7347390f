"""Reports the facts of a worker to plugins; a process loads its plugins once, at the first report."""

import threading
from functools import cache
from typing import Any

from gateway.config import Config
from gateway.plugin_loading import load_plugins
from gateway.plugin_manager import PluginManager, notify

_lock = threading.Lock()


def report_fact(hook: str, **facts: Any) -> None:
    """Call an `on_*` hook of every plugin; an exception is logged with the plugin's name."""
    # `cache` alone would let two threads load the plugins at the same time.
    with _lock:
        manager = _plugins()
    notify(manager, hook, **facts)


@cache
def _plugins() -> PluginManager:
    return load_plugins(Config.from_environment())
