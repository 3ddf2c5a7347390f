"""Finds plugins by their entry points and calls their hooks, each family in its own way."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Any

import pluggy

from gateway import hookspecs
from gateway.errors import PluginError
from gateway.outputs import ConsumerContext, ConsumerOutput

#: The group of entry points under which our plugins and a stranger's are found alike.
ENTRY_POINT_GROUP = "gateway.plugins"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PluginDescription:
    """An installed plugin as the API shows it."""

    name: str
    package: str
    version: str
    description: str
    hooks: tuple[str, ...]


def create_plugin_manager(*, with_installed: bool = True) -> pluggy.PluginManager:
    """A plugin manager with every installed plugin; raises PluginError that names the faulty one."""
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs.Hooks)
    if with_installed:
        for entry_point in sorted(entry_points(group=ENTRY_POINT_GROUP), key=lambda found: found.name):
            try:
                manager.register(entry_point.load(), name=entry_point.name)
            except Exception as error:
                raise PluginError(f"plugin '{entry_point.name}' cannot be loaded: {error}") from error
    check_hooks(manager)
    return manager


def check_hooks(manager: pluggy.PluginManager) -> None:
    """Raise PluginError for an implementation of a hook that does not exist: otherwise it is silent."""
    try:
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        raise PluginError(f"a plugin implements a hook that does not exist: {error}") from error


def collect(manager: pluggy.PluginManager, hook: str, **arguments: Any) -> list[Any]:
    """All objects that the `register_*` hook's implementations return, in the order of registration.

    Raises PluginError that names the plugin whose implementation failed or returned no list.
    """
    found: list[Any] = []
    for implementation in getattr(manager.hook, hook).get_hookimpls():
        name = implementation.plugin_name
        try:
            objects = implementation.function(*(arguments[key] for key in implementation.argnames))
        except Exception as error:
            raise PluginError(f"plugin '{name}' failed in {hook}: {error}") from error
        if not isinstance(objects, list):
            raise PluginError(f"plugin '{name}' must return a list from {hook}, not {type(objects).__name__}")
        found.extend(objects)
    return found


def collect_consumer_outputs(manager: pluggy.PluginManager, context: ConsumerContext) -> list[ConsumerOutput]:
    """The consumer outputs of all plugins. Raises PluginError, also when two outputs have the same role."""
    outputs: list[ConsumerOutput] = collect(manager, "register_consumer_outputs", context=context)
    names: dict[str, str] = {}
    for output in outputs:
        if output.role is None:
            continue
        if output.role in names:
            raise PluginError(
                f"outputs '{names[output.role]}' and '{output.name}' both have the role '{output.role}': "
                "only one of their plugins may be installed"
            )
        names[output.role] = output.name
    return outputs


def find_output_name(outputs: Iterable[ConsumerOutput], role: str) -> str | None:
    """The name of the output with a role; None when no output has it."""
    return next((output.name for output in outputs if output.role == role), None)


def notify(manager: pluggy.PluginManager, hook: str, **arguments: Any) -> None:
    """Report a fact to every implementation of an `on_*` hook; what one raises is logged with its name.

    Each is called alone, because pluggy stops at the first that raises.
    """
    for implementation in getattr(manager.hook, hook).get_hookimpls():
        try:
            implementation.function(*(arguments[key] for key in implementation.argnames))
        except Exception:
            log.exception("plugin '%s' failed in %s", implementation.plugin_name, hook)


def describe_plugins(manager: pluggy.PluginManager) -> list[PluginDescription]:
    """What is installed, by name."""
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
