"""`plugin.options`: the options of plugins as one process knows them, read again after a change.

A change is noticed by a number in the database that grows with each (`model.count_changes`): it is read once a second,
by the thread of `workers/options_watch.py` where there is one, otherwise with the next use. Redis is not needed.
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from threading import Lock
from types import MappingProxyType
from typing import Any
from weakref import WeakKeyDictionary

import marshmallow as ma

from gateway import database
from gateway.config import Config
from gateway.database import DatabaseUnavailable
from gateway.errors import NotFound, PluginError
from gateway.plugin_manager import PluginManager
from gateway.plugin_options.layers import LayerReader
from gateway.plugin_options.model import count_changes
from gateway.plugin_options.registry import OptionsRegistry, PluginForms, registry_of
from gateway.plugin_options.resolve import Problem
from gateway.plugin_options.store import Place, StoredOptions, lock_options, read_options, write_options
from gateway.secrets import SecretBox
from gateway.tenancy.scopes import EVERY_TENANT, TenantScope
from gateway.tenancy.tenants import DEFAULT_TENANT_ID

log = logging.getLogger(__name__)

#: A change is looked for this often.
LOOK_SECONDS = 1.0


class Snapshot:
    """All stored options at one moment, and the effective ones that were asked for so far."""

    def __init__(self, number: int, stored: StoredOptions, box: SecretBox) -> None:
        self.number, self.stored = number, stored
        self._box = box
        self._found: dict[tuple[str, str], Mapping[str, Any]] = {}

    def installation(self, forms: PluginForms, tenant_id: str) -> Mapping[str, Any]:
        return self._once(
            forms.plugin,
            f"tenant:{tenant_id}",
            lambda: {
                name: value
                for part in self._reader(forms).resolve_installation(tenant_id)
                for name, value in part.values.items()
            },
        )

    def device(self, forms: PluginForms, device_id: str) -> Mapping[str, Any]:
        return self._once(forms.plugin, device_id, lambda: dict(self._reader(forms).resolve_device(device_id).values))

    def problems(self, forms: PluginForms) -> list[Problem]:
        return self._reader(forms).find_problems()

    def _reader(self, forms: PluginForms) -> LayerReader:
        return LayerReader(forms, self.stored, self._box)

    def _once(self, plugin: str, key: str, find: Callable[[], dict[str, Any]]) -> Mapping[str, Any]:
        found = self._found.get((plugin, key))
        if found is None:
            found = self._found[plugin, key] = MappingProxyType(find())
        return found


class OptionsCache:
    """The options of a process; thread-safe."""

    def __init__(
        self, registry: OptionsRegistry, box: SecretBox, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.registry = registry
        #: Whether a thread refreshes: then nobody who reads options waits for the database.
        self.is_watched = False
        self._box, self._clock = box, clock
        self._lock = Lock()
        self._snapshot: Snapshot | None = None
        #: The options that were read first, from which the first change counts.
        self.first: Snapshot | None = None
        self._looked_at = float("-inf")

    def current(self) -> Snapshot:
        """The options as of a moment ago. While the database is away, those known last. Raises DatabaseUnavailable."""
        found = self._snapshot
        if found is not None and (self.is_watched or self._clock() - self._looked_at < LOOK_SECONDS):
            return found
        try:
            return self.refresh()
        except DatabaseUnavailable:
            if found is None:
                raise
            return found

    def refresh(self, *, always: bool = False) -> Snapshot:
        """Read the options if they have changed, or `always`. Raises DatabaseUnavailable."""
        with self._lock:
            self._looked_at = self._clock()
            number = count_changes()
            if always or self._snapshot is None or self._snapshot.number != number:
                self._snapshot = Snapshot(number, read_options(EVERY_TENANT), self._box)
                self.first = self.first or self._snapshot
            return self._snapshot

    def with_device(self, device_id: str) -> Snapshot:
        """As `current`, with a device that may have been created just now. Raises NotFound."""
        found = self.current()
        if device_id not in found.stored.devices:
            found = self.refresh(always=True)
        if device_id not in found.stored.devices:
            raise NotFound(f"there is no device with id '{device_id}'")
        return found


class PluginOptions:
    """The options of one plugin: `plugin.options`."""

    def __init__(self, plugin: str, cache: OptionsCache) -> None:
        self._plugin, self._cache = plugin, cache

    def installation(self, tenant_id: str = DEFAULT_TENANT_ID) -> Mapping[str, Any]:
        """The options of the installation, with defaults, including those that devices may override."""
        return self._cache.current().installation(self._forms(), tenant_id)

    def device(self, device_id: str) -> Mapping[str, Any]:
        """The effective options of a device. Raises NotFound."""
        return self._cache.with_device(device_id).device(self._forms(), device_id)

    def devices(self) -> dict[str, Mapping[str, Any]]:
        """The effective options of all enabled devices, by their ids."""
        forms, found = self._forms(), self._cache.current()
        return {
            device_id: found.device(forms, device_id)
            for device_id, device in found.stored.devices.items()
            if device.enabled
        }

    def switches(self, role: str) -> dict[str, bool]:
        """Whether the switches of a role are on, by the ids of enabled devices; empty if no plugin has the role.

        A switch is a boolean option of devices of any plugin, with the role in its metadata: `{"role": "detection"}`.
        """
        found: dict[str, bool] = {}
        current = self._cache.current()
        for forms, name in self._switches_of(role):
            for device_id, device in current.stored.devices.items():
                if device.enabled:
                    is_on = bool(current.device(forms, device_id)[name])
                    found[device_id] = found.get(device_id, False) or is_on
        return found

    def turn(self, role: str, scope: TenantScope, device_id: str, *, is_on: bool, by_name: str) -> int:
        """Turn the switches of a role for one device; returns their number. Raises NotFound."""
        turned = 0
        for forms, name in self._switches_of(role):
            place = Place(forms.plugin, device_id=device_id)
            with database.transaction():
                before = lock_options(scope, place)
                content = {**before.content, name: is_on}
                write_options(scope, place, content, before.sealed, before=before, by_name=by_name, at=database.now())
            turned += 1
        return turned

    def _switches_of(self, role: str) -> Iterator[tuple[PluginForms, str]]:
        for forms in self._cache.registry.all():
            fields = forms.device.fields if forms.device is not None else {}
            for name, field in fields.items():
                if isinstance(field, ma.fields.Boolean) and field.metadata.get("role") == role:
                    yield forms, name

    def _forms(self) -> PluginForms:
        try:
            return self._cache.registry.find(self._plugin)
        except Exception as error:
            raise PluginError(str(error)) from error


_caches: WeakKeyDictionary[PluginManager, OptionsCache] = WeakKeyDictionary()
_caches_lock = Lock()


def options_cache_of(manager: PluginManager, config: Config) -> OptionsCache:
    """The cache of a plugin manager's process."""
    registry = registry_of(manager)
    with _caches_lock:
        found = _caches.get(manager)
        if found is None:
            found = _caches[manager] = OptionsCache(registry, SecretBox.from_config(config))
        return found
