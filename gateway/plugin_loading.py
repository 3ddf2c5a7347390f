"""Loads the plugins of a running product, each with the parts of its context."""

import contextlib
import re
import stat
from functools import partial
from pathlib import Path

from gateway import database
from gateway.config import Config
from gateway.devices.model import Device
from gateway.events.plugin_events import PluginEvents
from gateway.inventory import tenant_of
from gateway.outputs import DeviceContext
from gateway.plugin_context import PluginContext, PluginParts
from gateway.plugin_facts import FactRouter
from gateway.plugin_manager import PluginManager, create_plugin_manager
from gateway.plugin_work.jobs import PluginJobs
from gateway.redis_client import connect_redis
from gateway.secrets import SecretBox
from gateway.tenancy.scopes import EVERY_TENANT

#: The folder below VAR_DIR with a folder for each plugin.
PLUGIN_FOLDERS = "plugins"
#: Files of a folder that a request looks at.
_MOST_FILES = 20_000
_FOLDER_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")


def load_plugins(config: Config) -> PluginManager:
    """Create the plugin manager of a process that uses the database and Redis of `config`."""
    manager = create_plugin_manager(config, lambda context: build_parts(context, manager))
    manager.facts = FactRouter(manager, partial(connect_redis, config.redis_url))
    return manager


def build_parts(context: PluginContext, manager: PluginManager) -> PluginParts:
    """The parts of a plugin's context. Nothing connects before it is used."""
    # Imported only here: a release must not wait for the schemas' library.
    from gateway.plugin_options.reader import PluginOptions, options_cache_of

    return PluginParts(
        options=PluginOptions(context.name, options_cache_of(manager, context.config)),
        events=PluginEvents(context.name, context.config, tenant_of),
        jobs=PluginJobs(context),
        secrets=PluginSecrets(context),
        folder=partial(make_folder, context),
        devices=list_devices,
    )


class PluginSecrets:
    """Encryption at rest, bound to a plugin."""

    def __init__(self, context: PluginContext) -> None:
        self._plugin = context.name
        self._box = SecretBox.from_config(context.config)

    def seal(self, text: str, name: str) -> str:
        """Encrypt a text."""
        return self._box.seal(text, self._bind(name))

    def open(self, sealed: str, name: str) -> str:
        """Decrypt a text that was sealed for `name`. Raises SealBroken."""
        return self._box.open(sealed, self._bind(name))

    def _bind(self, name: str) -> str:
        return f"plugin:{self._plugin}:{name}"


def make_folder(context: PluginContext) -> Path:
    """The folder of a plugin on this machine; it is created for the service's user alone."""
    if not _FOLDER_NAME.fullmatch(context.name):
        raise ValueError(f"'{context.name}' cannot be the name of a folder")
    folder = Path(context.config.var_dir) / PLUGIN_FOLDERS / context.name
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def measure_folder(config: Config, name: str) -> int | None:
    """The bytes of the files in a plugin's folder on this machine; None if it has none, or too many to look at."""
    folder = Path(config.var_dir) / PLUGIN_FOLDERS / name
    if not _FOLDER_NAME.fullmatch(name) or not folder.is_dir():
        return None
    total = 0
    for count, path in enumerate(folder.rglob("*")):
        if count >= _MOST_FILES:
            return None
        # Files come and go meanwhile.
        with contextlib.suppress(OSError):
            found = path.lstat()
            total += found.st_size if stat.S_ISREG(found.st_mode) else 0
    return total


def list_devices() -> list[DeviceContext]:
    """All enabled devices of all tenants. Raises DatabaseUnavailable."""
    with database.session():
        query = EVERY_TENANT.select(Device, Device.id, Device.tenant_id, Device.name)
        rows = query.where(Device.enabled == True).order_by(Device.name_key)  # noqa: E712 (SQL)
        return [DeviceContext(row.id, row.tenant_id, row.name) for row in rows]
