"""The options that the installed plugins register: the forms of each, and those that cannot be used.

A plugin whose schemas cannot be used has no options: everything else runs, and health names the plugin.
"""

import logging
from dataclasses import dataclass
from threading import RLock
from typing import Any
from weakref import WeakKeyDictionary

from gateway.errors import Conflict, NotFound
from gateway.hookspecs import OptionSchemas
from gateway.plugin_manager import PluginManager
from gateway.plugin_options.forms import DEVICE, INSTALLATION, Form, FormError
from gateway.plugin_options.json_schema import describe_object

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PluginForms:
    """The forms of one plugin. What a device may override is also set for the installation and for tags."""

    plugin: str
    installation: Form | None
    device: Form | None

    def forms_of(self, level: str) -> tuple[Form, ...]:
        """The forms of what can be set at a level (`gateway.plugin_options.resolve`)."""
        forms = (self.installation, self.device) if level == INSTALLATION else (self.device,)
        return tuple(form for form in forms if form is not None)

    @property
    def levels(self) -> list[str]:
        """The schemas that the plugin has."""
        parts = ((INSTALLATION, self.installation), (DEVICE, self.device))
        return [level for level, form in parts if form is not None]

    def json_schema(self, level: str) -> dict[str, Any]:
        """The JSON Schema of what can be set at a level."""
        forms = self.forms_of(level)
        properties = {name: schema for form in forms for name, schema in form.properties.items()}
        return describe_object(properties, [name for form in forms for name in form.required])


class OptionsRegistry:
    """The forms of the plugins of a process."""

    def __init__(self, manager: PluginManager) -> None:
        self._forms: dict[str, PluginForms] = {}
        #: Why the options of a plugin cannot be used, by its name.
        self.faults: dict[str, str] = {}
        self.plugins = frozenset(name for name, _ in manager.list_name_plugin())
        for implementation in manager.hook.register_options.get_hookimpls():
            name = implementation.plugin_name
            try:
                forms = _build_forms(name, manager.call(implementation, {}))
            except Exception as error:
                reason = str(error) if isinstance(error, FormError) else f"{type(error).__name__}: {error}"
                self.faults[name] = reason[:500]
                log.error("plugin '%s' has no options: %s", name, reason)  # noqa: TRY400 (the author's fault, in words)
                continue
            if forms is not None:
                self._forms[name] = forms

    def all(self) -> list[PluginForms]:
        """The forms of all plugins that have options, by name."""
        return [self._forms[name] for name in sorted(self._forms)]

    def find(self, plugin: str, level: str = INSTALLATION) -> PluginForms:
        """The forms of a plugin. Raises NotFound without options at the level, Conflict if they cannot be used."""
        if plugin not in self.plugins:
            raise NotFound(f"no plugin '{plugin[:100]}' is installed")
        if plugin in self.faults:
            raise Conflict(
                f"the options of plugin '{plugin}' cannot be used: {self.faults[plugin]}",
                reason="options_unusable",
            )
        forms = self._forms.get(plugin)
        if forms is None:
            raise NotFound(f"plugin '{plugin}' has no options")
        if not forms.forms_of(level):
            raise NotFound(f"plugin '{plugin}' has no options for devices: set those of the installation")
        return forms


def _build_forms(plugin: str, registered: Any) -> PluginForms | None:
    if not isinstance(registered, list) or not all(isinstance(one, OptionSchemas) for one in registered):
        raise FormError("register_options must return a list with one OptionSchemas")
    if len(registered) > 1:
        raise FormError(f"register_options must return one OptionSchemas, not {len(registered)}")
    if not registered or (registered[0].installation is None and registered[0].device is None):
        return None
    schemas = registered[0]
    installation = None if schemas.installation is None else Form(schemas.installation, INSTALLATION)
    order = len(installation.fields) if installation else 0
    device = None if schemas.device is None else Form(schemas.device, DEVICE, order)
    if installation and device and (both := installation.fields.keys() & device.fields.keys()):
        raise FormError(
            f"'{min(both)}' is in both schemas: an option of devices can be set for the installation anyway"
        )
    return PluginForms(plugin, installation, device)


_registries: WeakKeyDictionary[PluginManager, OptionsRegistry] = WeakKeyDictionary()
_lock = RLock()


def registry_of(manager: PluginManager) -> OptionsRegistry:
    """The registry of a plugin manager; `register_options` is called at the first use."""
    with _lock:
        found = _registries.get(manager)
        if found is None:
            found = _registries[manager] = OptionsRegistry(manager)
        return found
