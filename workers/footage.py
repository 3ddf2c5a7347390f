"""The store of footage of a worker: the local disk, and the archives of its plugins."""

from functools import cache, partial

from gateway.archive.storage import TieredStorage, open_footage
from gateway.archives import Archive
from gateway.config import Config
from gateway.plugin_loading import load_plugins
from gateway.plugin_manager import collect


@cache
def open_worker_footage(config: Config) -> TieredStorage:
    """The store of this process, which its threads share. Plugins are loaded when an archive is first read."""
    return open_footage(config, partial(_collect_archives, config))


def _collect_archives(config: Config) -> list[Archive]:
    return collect(load_plugins(config), "register_archives")
