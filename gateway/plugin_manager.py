"""Loads plugins by their entry points and calls their hooks; a faulty one is set aside, everything else runs."""

import logging
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType
from typing import Any, Protocol

import pluggy

from gateway import hookspecs
from gateway.config import Config
from gateway.errors import PluginError
from gateway.hookspecs import ComponentHealth, HealthCheck
from gateway.isolation.guard import GUARD
from gateway.isolation.threads import call_once
from gateway.outputs import ConsumerContext, ConsumerOutput, DirectOutput
from gateway.plugin_context import PluginContext, PluginParts
from gateway.plugin_version import WrongVersion, check_version
from gateway.sources.registry import SourceRegistry
from gateway.sources.source import SourceContext

#: The group of entry points under which all plugins are found, ours and those of other packages.
ENTRY_POINT_GROUP = "gateway.plugins"

#: Longest time for importing a plugin, and for one of its `register_*` hooks.
LOAD_SECONDS, REGISTER_SECONDS = 30.0, 10.0

_NAME = re.compile(r"[A-Za-z0-9_. -]{1,100}")
_PROCESS = re.compile(r"[a-z][a-z0-9_]{0,31}")
#: Plugins of this repository are loaded first: of two that claim the same, another package's is set aside.
_OURS = "plugins."

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PluginDescription:
    """The description of an installed plugin in the API. `state`: see `gateway.isolation.problems.STATES`."""

    name: str
    package: str
    version: str
    description: str
    hooks: tuple[str, ...]
    state: str = "running"
    reason: str | None = None
    remedy: str | None = None


#: Builds the parts of a plugin's context when the plugin first uses one.
PartsBuilder = Callable[[PluginContext], PluginParts]


class Facts(Protocol):
    """Where the facts of `on_*` hooks are reported in a running product."""

    def report(self, hook: str, arguments: dict[str, Any], *, only: str | None = None) -> None:
        """Report a fact to every implementation, or to that of one plugin. Never waits for one."""


class PluginManager(pluggy.PluginManager):
    """The plugins of a process, each with its context, which hook implementations take by the argument `plugin`.

    `faulty`: the plugins that do not run in this process. `strangers`: the names of those of other packages. `facts`:
    None in tests and commands, which call `on_*` hooks directly.
    """

    def __init__(self, config: Config | None = None, build_parts: PartsBuilder | None = None) -> None:
        super().__init__(hookspecs.PROJECT)
        self.add_hookspecs(hookspecs.Hooks)
        self.faulty: list[PluginDescription] = []
        self.strangers: set[str] = set()
        self.facts: Facts | None = None
        self._config = config
        self._build_parts = build_parts or _refuse_parts
        self._contexts: dict[str, PluginContext] = {}
        self._kept: dict[str, Any] = {}

    def context_of(self, name: str) -> PluginContext:
        """The context of a plugin."""
        if name not in self._contexts:
            self._contexts[name] = PluginContext(name, self._config, self._build_parts, self._collect_for)
        return self._contexts[name]

    def call(self, implementation: pluggy.HookImpl, arguments: dict[str, Any]) -> Any:
        """Call one implementation of a hook with those arguments that it takes."""
        context = self.context_of(implementation.plugin_name)
        known = {**arguments, "plugin": context}
        return implementation.function(*(known[key] for key in implementation.argnames))

    def load(self, entry_point: EntryPoint) -> None:
        """Load a plugin; one that cannot be loaded is noted as faulty."""
        name = entry_point.name
        if self._config is not None and name in self._config.plugins_off:
            self._note(_describe_missing(entry_point, "off", "it is switched off (PLUGINS_OFF)", ""))
        elif self.has_plugin(name):
            other = next((point for point in _find_entry_points() if point.name == name), None)
            package = getattr(getattr(other, "dist", None), "name", "another package")
            reason = f"'{package}' has a plugin of the same name"
            self._note(_describe_missing(entry_point, "failed", reason, "uninstall one of the two packages"))
        elif (aside := GUARD.aside(name)) is not None and aside.is_of_loading:
            remedy = "update or uninstall it, or switch it off (PLUGINS_OFF); it is tried again after some time"
            self._note(_describe_missing(entry_point, "set_aside", aside.describe(), remedy))
        else:
            self._load(entry_point)

    def installed_names(self) -> frozenset[str]:
        """The names of the plugins that are installed and not switched off, also of those that do not run now."""
        faulty = {found.name for found in self.faulty if found.state != "off"}
        return frozenset(faulty | {name for name, _ in self.list_name_plugin()})

    def disable(self, name: str, reason: str, remedy: str = "") -> None:
        """Set a plugin aside in this process because of an error; the others go on."""
        running = [found for found in describe_plugins(self) if found.name == name and found.state == "running"]
        if not running:
            return
        description = running[0]
        self.unregister(name=name)
        remedy = remedy or f"update or uninstall '{description.package or name}', or switch it off (PLUGINS_OFF)"
        self._note(replace(description, state="failed", reason=reason, remedy=remedy))

    def keep(self, name: str, build: Callable[[], Any]) -> Any:
        """What `build` returned at the first call with this name: for objects that a process needs once."""
        if name not in self._kept:
            self._kept[name] = build()
        return self._kept[name]

    def _load(self, entry_point: EntryPoint) -> None:
        name = entry_point.name
        try:
            package = getattr(entry_point, "value", "").partition(":")[0].partition(".")[0]
            if package and f"{package}." != _OURS:
                self.strangers.add(name)
                GUARD.know(name, package)
            plugin = call_once(name, "load", _create_plugin, entry_point, seconds=LOAD_SECONDS)
            self.register(plugin, name=name)
            check_hooks(self)
        except Exception as error:
            if self.has_plugin(name):
                self.unregister(name=name)
            self._note(_describe_missing(entry_point, "failed", f"cannot be loaded: {error}", _remedy_of(error)))

    def _note(self, description: PluginDescription) -> None:
        self.faulty.append(description)
        if description.state == "off":
            log.info("plugin '%s' is switched off", description.name)
            return
        log.error("plugin '%s' does not run: %s", description.name, description.reason)
        GUARD.problems.note(
            description.name,
            "load",
            description.reason or "",
            state=description.state,
            remedy=description.remedy or "",
        )

    def _collect_for(self, hook: str, **arguments: Any) -> list[Any]:
        return collect(self, hook, **arguments)


def _refuse_parts(context: PluginContext) -> PluginParts:
    raise PluginError(f"plugin '{context.name}' uses its context in a process that gives it none")


def create_plugin_manager(
    config: Config | None = None, build_parts: PartsBuilder | None = None, *, with_installed: bool = True
) -> PluginManager:
    """Create a plugin manager with all installed plugins; one that cannot be loaded is noted in `faulty`.

    `gateway.plugin_loading.load_plugins` creates that of a running product.
    """
    manager = PluginManager(config, build_parts)
    if with_installed:
        for entry_point in _find_entry_points():
            manager.load(entry_point)
    return manager


def _find_entry_points() -> list[EntryPoint]:
    def order(found: EntryPoint) -> tuple[bool, str]:
        return not getattr(found, "value", "").startswith(_OURS), found.name

    return sorted(entry_points(group=ENTRY_POINT_GROUP), key=order)


def _create_plugin(entry_point: EntryPoint) -> Any:
    """The plugin behind an entry point: what the module's `create_plugin()` returns, otherwise the module itself."""
    loaded = entry_point.load()
    check_version(loaded)
    create = getattr(loaded, "create_plugin", None)
    return loaded if create is None else create()


def _remedy_of(error: Exception) -> str:
    if isinstance(error, WrongVersion):
        return error.remedy
    if isinstance(error, ModuleNotFoundError) and error.name:
        return f"install '{error.name}' in the Python environment of VAS, or uninstall the plugin"
    return "update or uninstall it, or switch it off (PLUGINS_OFF)"


def check_hooks(manager: PluginManager) -> None:
    """Raise PluginError if a plugin implements a hook that does not exist: pluggy ignores it silently."""
    try:
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        raise PluginError(f"it implements a hook that does not exist: {error}") from error


def collect(manager: PluginManager, hook: str, **arguments: Any) -> list[Any]:
    """All objects that the implementations of a `register_*` hook return, in the order of pluggy's calls.

    A plugin that fails, hangs or returns no list is set aside, and the objects of the others are returned.
    """
    return [found for _, found in collect_named(manager, hook, **arguments)]


def collect_named(
    manager: PluginManager, hook: str, *, only: str | None = None, without: Collection[str] = (), **arguments: Any
) -> list[tuple[str, Any]]:
    """As `collect`, each object with the name of its plugin; of one plugin `only`, or of all `without` some."""
    found: list[tuple[str, Any]] = []
    for implementation in list(getattr(manager.hook, hook).get_hookimpls()):
        name = implementation.plugin_name
        if name in without or only not in (None, name):
            continue
        try:
            objects = call_once(name, hook, manager.call, implementation, arguments, seconds=REGISTER_SECONDS)
        except Exception as error:
            log.debug("plugin '%s' failed in %s", name, hook, exc_info=error)
            manager.disable(name, f"failed in {hook}: {error}")
            continue
        if not isinstance(objects, list):
            manager.disable(name, f"must return a list from {hook}, not {type(objects).__name__}")
            continue
        found.extend((name, one) for one in objects)
    return found


def collect_sources(
    manager: PluginManager, config: Config, *, apart: Mapping[str, Sequence[Any]] = MappingProxyType({})
) -> SourceRegistry:
    """The sources of all plugins; one with a scheme that is taken, or with an invalid source, is set aside.

    `apart`: stand-ins for the sources of plugins that are not asked in this process.
    """
    found = collect_named(manager, "register_sources", without=apart, context=SourceContext(config))
    found += [(name, source) for name, sources in apart.items() for source in sources]
    accepted: list[tuple[str, Any]] = []
    for name in dict.fromkeys(name for name, _ in found):
        own = [item for item in found if item[0] == name]
        try:
            SourceRegistry([*accepted, *own])
        except PluginError as error:
            manager.disable(name, error.message)
        else:
            accepted += own
    return SourceRegistry(accepted)


def collect_health_checks(manager: PluginManager, config: Config) -> list[HealthCheck]:
    """The health checks of all plugins."""
    accepted = []
    for plugin, check in collect_named(manager, "register_health_checks", config=config):
        if isinstance(check, HealthCheck):
            accepted.append(HealthCheck(check.name, partial(_check_health, plugin, check)))
        else:
            manager.disable(plugin, f"must return HealthCheck objects, not {type(check).__name__}")
    return accepted


def _check_health(plugin: str, check: HealthCheck) -> ComponentHealth:
    if (aside := GUARD.aside(plugin)) is not None:
        return ComponentHealth("degraded", f"plugin '{plugin}' is set aside: {aside.describe()}")
    with GUARD.inside(plugin, "a health check"):
        return check.check()


def collect_sources_of(manager: PluginManager, config: Config, plugin: str) -> list[Any]:
    """The sources of one plugin. Raises PluginError for one that cannot be used."""
    found = collect_named(manager, "register_sources", only=plugin, context=SourceContext(config))
    SourceRegistry(found)
    return [source for _, source in found]


def collect_direct_outputs(
    manager: PluginManager,
    *,
    only: str | None = None,
    apart: Mapping[str, Sequence[DirectOutput]] = MappingProxyType({}),
    **arguments: Any,
) -> list[DirectOutput]:
    """The direct outputs of all plugins, or of `only` one.

    `apart`: stand-ins for those of plugins that are not asked in this process.
    """
    found = collect_named(manager, "register_direct_outputs", only=only, without=apart, **arguments)
    found += [(name, output) for name, outputs in apart.items() for output in outputs]
    return _check_outputs(manager, found)


def collect_consumer_outputs(manager: PluginManager, context: ConsumerContext) -> list[ConsumerOutput]:
    """The consumer outputs of all plugins; of two with the same role or name, the second one's plugin is set aside."""
    return _check_outputs(manager, collect_named(manager, "register_consumer_outputs", context=context))


def _check_outputs(manager: PluginManager, found: list[tuple[str, Any]]) -> list[Any]:
    """Give each output the name of its plugin; set aside the plugins of outputs that cannot be used."""
    accepted: list[Any] = []
    for plugin in dict.fromkeys(name for name, _ in found):
        own = [output for name, output in found if name == plugin]
        problems = (_check_output(output, [*accepted, *own[:number]]) for number, output in enumerate(own))
        problem = next(filter(None, problems), None)
        if problem is not None:
            manager.disable(plugin, problem)
            continue
        for output in own:
            output.plugin = plugin
        accepted += own
    return accepted


def _check_output(output: Any, others: list[Any]) -> str | None:
    """What is wrong with an output; None if nothing is."""
    name, role, process = (getattr(output, key, None) for key in ("name", "role", "process"))
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        return "an output must have a 'name' of 1 to 100 letters, digits, '_', '-', '.' and spaces"
    if process is not None and not (isinstance(process, str) and _PROCESS.fullmatch(process)):
        return f"the 'process' of output '{name}' must be a lower-case name of at most 32 letters, digits and '_'"
    for other in others:
        if role is not None and role == _role_of(other):
            return (
                f"outputs '{other.name}' and '{name}' both have the role '{role}': "
                "only one of their plugins may be installed"
            )
        if other.name == name:
            return f"there is another output '{name}'"
    return None


def find_output_name(outputs: Iterable[ConsumerOutput], role: str) -> str | None:
    """The name of the output with a role; None when no output has it."""
    return next((output.name for output in outputs if _role_of(output) == role), None)


def _role_of(output: ConsumerOutput) -> str | None:
    """The role of an output; None also for one that does not inherit from ConsumerOutput, which a plugin may return."""
    return getattr(output, "role", None)


def notify(manager: PluginManager, hook: str, *, only: str | None = None, **arguments: Any) -> None:
    """Report a fact to every implementation of an `on_*` hook. Neither their errors nor their time reach the caller.

    `only`: the one plugin that is concerned.
    """
    if manager.facts is not None:
        manager.facts.report(hook, arguments, only=only)
        return
    for implementation in getattr(manager.hook, hook).get_hookimpls():
        if only is not None and implementation.plugin_name != only:
            continue
        try:
            manager.call(implementation, arguments)
        except (Exception, SystemExit):
            log.exception("plugin '%s' failed in %s", implementation.plugin_name, hook)


def describe_plugins(manager: PluginManager) -> list[PluginDescription]:
    """The installed plugins, sorted by name."""
    points = {point.name: point for point in reversed(_find_entry_points())}
    described = list(manager.faulty)
    for name, plugin in manager.list_name_plugin():
        package, version = _package_of(points.get(name))
        doc = (getattr(plugin, "__doc__", None) or "").strip()
        described.append(
            PluginDescription(
                name=name,
                package=package,
                version=version,
                description=doc.partition("\n")[0],
                hooks=tuple(sorted(caller.name for caller in manager.get_hookcallers(plugin) or ())),
            )
        )
    return sorted(described, key=lambda found: (found.name, found.package))


def _package_of(entry_point: EntryPoint | None) -> tuple[str, str]:
    distribution = entry_point.dist if entry_point is not None else None
    return (distribution.name, distribution.version) if distribution is not None else ("", "")


def _describe_missing(entry_point: EntryPoint, state: str, reason: str, remedy: str) -> PluginDescription:
    package, version = _package_of(entry_point)
    return PluginDescription(entry_point.name, package, version, "", (), state, reason, remedy)
