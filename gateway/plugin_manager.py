"""Loads plugins by their entry points and calls their hooks; each family of hooks is called in its own way."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Any

import pluggy

from gateway import hookspecs
from gateway.config import Config
from gateway.errors import PluginError
from gateway.outputs import ConsumerContext, ConsumerOutput
from gateway.sources.registry import SourceRegistry
from gateway.sources.source import SourceContext

#: The group of entry points under which all plugins are found, ours and those of other packages.
ENTRY_POINT_GROUP = "gateway.plugins"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PluginDescription:
    """The description of an installed plugin in the API."""

    name: str
    package: str
    version: str
    description: str
    hooks: tuple[str, ...]


def create_plugin_manager(*, with_installed: bool = True) -> pluggy.PluginManager:
    """Create a plugin manager with all installed plugins. Raises PluginError, which names the faulty plugin."""
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs.Hooks)
    if with_installed:
        for entry_point in sorted(entry_points(group=ENTRY_POINT_GROUP), key=lambda found: found.name):
            try:
                manager.register(_create_plugin(entry_point.load()), name=entry_point.name)
            except Exception as error:
                raise PluginError(f"plugin '{entry_point.name}' cannot be loaded: {error}") from error
    check_hooks(manager)
    return manager


def _create_plugin(loaded: Any) -> Any:
    """The plugin behind an entry point: what the module's `create_plugin()` returns, otherwise the module itself."""
    create = getattr(loaded, "create_plugin", None)
    return loaded if create is None else create()


def check_hooks(manager: pluggy.PluginManager) -> None:
    """Raise PluginError if a plugin implements a hook that does not exist: pluggy ignores it silently."""
    try:
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        raise PluginError(f"a plugin implements a hook that does not exist: {error}") from error


def collect(manager: pluggy.PluginManager, hook: str, **arguments: Any) -> list[Any]:
    """All objects that the implementations of a `register_*` hook return, in the order of pluggy's calls.

    Raises PluginError, which names the plugin, if an implementation fails or returns no list.
    """
    return [found for _, found in _collect_named(manager, hook, **arguments)]


def _collect_named(manager: pluggy.PluginManager, hook: str, **arguments: Any) -> list[tuple[str, Any]]:
    """As `collect`, each object with the name of its plugin."""
    found: list[tuple[str, Any]] = []
    for implementation in getattr(manager.hook, hook).get_hookimpls():
        name = implementation.plugin_name
        try:
            objects = implementation.function(*(arguments[key] for key in implementation.argnames))
        except Exception as error:
            raise PluginError(f"plugin '{name}' failed in {hook}: {error}") from error
        if not isinstance(objects, list):
            raise PluginError(f"plugin '{name}' must return a list from {hook}, not {type(objects).__name__}")
        found.extend((name, one) for one in objects)
    return found


def collect_sources(manager: pluggy.PluginManager, config: Config) -> SourceRegistry:
    """The sources of all plugins. Raises PluginError, also when two have the same scheme."""
    return SourceRegistry(_collect_named(manager, "register_sources", context=SourceContext(config)))


def collect_consumer_outputs(manager: pluggy.PluginManager, context: ConsumerContext) -> list[ConsumerOutput]:
    """The consumer outputs of all plugins. Raises PluginError, also when two outputs have the same role."""
    outputs: list[ConsumerOutput] = collect(manager, "register_consumer_outputs", context=context)
    names: dict[str, str] = {}
    for output in outputs:
        role = _role_of(output)
        if role is None:
            continue
        if role in names:
            raise PluginError(
                f"outputs '{names[role]}' and '{output.name}' both have the role '{role}': "
                "only one of their plugins may be installed"
            )
        names[role] = output.name
    return outputs


def find_output_name(outputs: Iterable[ConsumerOutput], role: str) -> str | None:
    """The name of the output with a role; None when no output has it."""
    return next((output.name for output in outputs if _role_of(output) == role), None)


def _role_of(output: ConsumerOutput) -> str | None:
    """The role of an output; None also for one that does not inherit from ConsumerOutput, which a plugin may return."""
    return getattr(output, "role", None)


def notify(manager: pluggy.PluginManager, hook: str, **arguments: Any) -> None:
    """Report a fact to every implementation of an `on_*` hook; an exception is logged with the plugin's name.

    Each implementation is called on its own, because pluggy stops at the first exception.
    """
    for implementation in getattr(manager.hook, hook).get_hookimpls():
        try:
            implementation.function(*(arguments[key] for key in implementation.argnames))
        except Exception:
            log.exception("plugin '%s' failed in %s", implementation.plugin_name, hook)


def describe_plugins(manager: pluggy.PluginManager) -> list[PluginDescription]:
    """The installed plugins, sorted by name."""
    distributions = {point.name: point.dist for point in entry_points(group=ENTRY_POINT_GROUP)}
    described = []
    for name, plugin in sorted(manager.list_name_plugin()):
        distribution = distributions.get(name)
        doc = (getattr(plugin, "__doc__", None) or "").strip()
        described.append(
            PluginDescription(
                name=name,
                package=distribution.name if distribution else "",
                version=distribution.version if distribution else "",
                description=doc.partition("\n")[0],
                hooks=tuple(sorted(caller.name for caller in manager.get_hookcallers(plugin) or ())),
            )
        )
    return described
