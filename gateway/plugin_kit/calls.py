"""Calls the `register_*` hooks of one plugin as a product does at its start, and looks at what they return."""

import asyncio
import inspect
import re
import secrets
import threading
import typing
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pluggy

from gateway import database, migrations
from gateway.clock import SystemClock
from gateway.config import Config
from gateway.hookspecs import ComponentHealth, Hooks
from gateway.isolation.threads import call_once
from gateway.metrics.of_plugins import collect_metrics
from gateway.outputs import ConsumerContext, OutputContext
from gateway.panels import collect_panels
from gateway.plugin_kit.findings import ERROR, WARNING
from gateway.plugin_kit.places import Place, describe, place_of, place_of_code
from gateway.plugin_manager import (
    REGISTER_SECONDS,
    PluginManager,
    collect_consumer_outputs,
    collect_direct_outputs,
    collect_health_checks,
    collect_named,
    collect_sources,
)
from gateway.plugin_options.registry import registry_of
from gateway.plugin_work.migrating import migrate_plugins
from gateway.plugin_work.registrations import read_one
from gateway.sources.source import SourceContext

#: The hooks whose objects are checked together.
_WORK = ("register_jobs", "register_schedules", "register_services", "register_migrations")
#: In place of the result of a call that failed.
FAILED = object()
_ARCHIVE_METHODS = ("read", "size", "list", "delete", "presign")
_DETECTOR_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
#: What a fault of the work is about.
_ABOUT_WORK = re.compile(r"\b(job|schedule|service|migration)s?\b")


def make_config(folder: Path) -> Config:
    """The settings of a check: an empty database in the folder, and a Redis that nobody serves."""
    return Config(
        database_url=f"sqlite:///{folder / 'vas.db'}",
        redis_url="redis://127.0.0.1:1/0",
        secret_key=secrets.token_hex(16),
        sfu_secret=secrets.token_hex(16),
        var_dir=folder / "var",
        recordings_dir=folder / "recordings",
        exports_dir=folder / "exports",
        captures_dir=folder / "captures",
        recording_mode="off",
        plugins_off=(),
    )


class CheckingManager(PluginManager):
    """A plugin manager that keeps the place of the last exception of each hook."""

    def __init__(self, config: Config, build_parts: Any) -> None:
        super().__init__(config, build_parts)
        self.config = config
        self.own_folders: list[str] = []
        self.places: dict[str, Place | None] = {}

    def call(self, implementation: pluggy.HookImpl, arguments: dict[str, Any]) -> Any:
        try:
            return super().call(implementation, arguments)
        except BaseException as error:
            self.note(getattr(implementation.function, "__name__", ""), error)
            raise

    def note(self, key: str, error: BaseException) -> None:
        """Keep where in the plugin an exception comes from."""
        self.places[key] = place_of(error, self.own_folders)


class HookCalls:
    """The calls of one registered plugin. `step` tells what begins, `report` takes findings."""

    def __init__(
        self,
        manager: CheckingManager,
        name: str,
        implemented: dict[str, Callable[..., Any]],
        step: Callable[[str], None],
        report: Callable[..., None],
    ) -> None:
        self._manager, self._name, self._implemented = manager, name, implemented
        self._plugin = manager.get_plugin(name)
        self._config = manager.config
        self._step, self._report = step, report
        self._loop: asyncio.AbstractEventLoop | None = None

    def run(self) -> None:
        """Call all `register_*` hooks that the plugin implements."""
        self._step("making an empty database")
        database.connect(self._config)
        migrations.migrate()
        if any(hook in self._implemented for hook in _WORK):
            self._guard(
                "register_migrations, register_jobs, register_schedules and register_services", self._check_work
            )
        checks = {
            "register_options": self._check_options,
            "register_sources": lambda: collect_sources(self._manager, self._config),
            "register_consumer_outputs": self._check_consumers,
            "register_direct_outputs": self._check_directs,
            "register_archives": self._check_archives,
            "register_detectors": self._check_detectors,
            "register_health_checks": self._check_health,
            "register_metrics": self._check_metrics,
            "register_panels": lambda: collect_panels(self._manager),
            "register_blueprints": self._check_routes,
        }
        # Options come first, because the others may read them; an application with its routes asks the others too.
        order = {"register_options": 0, "register_blueprints": 2}
        hooks = sorted(self._implemented, key=lambda hook: order.get(hook, 1))
        for hook in hooks:
            if hook.startswith("register_") and hook not in _WORK:
                self._guard(hook, checks.get(hook, lambda hook=hook: self._collect(hook)))

    def _guard(self, hook: str, check: Callable[[], object]) -> None:
        self._step(hook)
        try:
            check()
        except Exception as error:
            self._manager.note(hook, error)
            self._fault(hook, f"{hook} failed: {describe(error)}")
        # Who fails is set aside; the other hooks are to be checked too.
        for found in self._manager.faulty:
            if found.name == self._name:
                self._fault(hook, found.reason or "it fails")
        self._manager.faulty.clear()
        if not self._manager.has_plugin(self._name):
            self._manager.register(self._plugin, name=self._name)

    def _fault(self, hook: str, message: str, remedy: str = "") -> None:
        self._report(ERROR, message, remedy, self._manager.places.get(hook) or self._place_of_hook(hook))

    def _place_of_hook(self, hook: str) -> Place | None:
        return place_of_code(self._implemented[hook]) if hook in self._implemented else None

    def _collect(self, hook: str, **arguments: Any) -> list[Any]:
        """What the plugin returns from a hook; objects of the wrong type are named."""
        known = {"config": self._config, "context": SourceContext(self._config)}
        names = inspect.signature(getattr(Hooks, hook)).parameters
        given = {name: known[name] for name in names if name in known} | arguments
        own = [one for name, one in collect_named(self._manager, hook, **given) if name == self._name]
        wanted = typing.get_args(typing.get_type_hints(getattr(Hooks, hook)).get("return"))
        kind = wanted[0] if wanted and inspect.isclass(wanted[0]) else object
        for one in own:
            if not getattr(kind, "_is_protocol", False) and not isinstance(one, kind):
                self._fault(hook, f"{hook} must return {kind.__name__} objects, not {type(one).__name__}")
        return own

    def _call(self, hook: str, what: str, function: Callable[..., Any], *, level: str = ERROR) -> Any:
        """The result of a plugin's function; FAILED if it fails, which is named."""
        self._step(what)

        def call() -> Any:
            try:
                return function()
            except BaseException as error:
                self._manager.note(what, error)
                raise

        try:
            return call_once(self._name, what, call, seconds=REGISTER_SECONDS)
        except Exception as error:
            place = self._manager.places.get(what) or self._place_of_hook(hook)
            self._report(level, f"{what} failed: {describe(error)}", "", place)
            return FAILED

    def _check_options(self) -> None:
        registry = registry_of(self._manager)
        if (fault := registry.faults.get(self._name)) is not None:
            self._fault("register_options", f"its options cannot be used: {fault}")

    def _check_work(self) -> None:
        registered = read_one(self._manager, self._name)
        if registered.problem is not None:
            own = [hook for hook in _WORK if hook in self._implemented]
            word = _ABOUT_WORK.search(registered.problem)
            hook = next((hook for hook in _WORK if hook in registered.problem), f"register_{word[1]}s" if word else "")
            self._fault(hook or own[0], registered.problem)
            return
        numbers = sorted(registered.migrations)
        if numbers != list(range(1, len(numbers) + 1)):
            text = f"the numbers of its migrations are {', '.join(map(str, numbers))}"
            remedy = "count from 1, and never remove a migration that was released"
            self._report(WARNING, text, remedy, self._place_of_hook("register_migrations"))
        wrapped = {
            number: replace(one, upgrade=self._watch(one.upgrade)) for number, one in registered.migrations.items()
        }
        for report in migrate_plugins({self._name: replace(registered, migrations=wrapped)}):
            if report.failed:
                self._fault("register_migrations", report.failed)

    def _watch(self, upgrade: Callable[..., None]) -> Callable[..., None]:
        def run(execute: Any, types: Any) -> None:
            try:
                upgrade(execute, types)
            except BaseException as error:
                self._manager.note("register_migrations", error)
                raise

        return run

    def _check_consumers(self) -> None:
        hook = "register_consumer_outputs"
        context = ConsumerContext(self._config, "check", SystemClock(), lambda hook, **facts: None)
        for output in self._own_outputs(hook, collect_consumer_outputs(self._manager, context), ("wanted", "attach")):
            wanted = self._call(hook, f"'wanted' of the output '{output.name}'", output.wanted)
            if wanted is not FAILED and not isinstance(wanted, list | tuple | set | frozenset):
                self._fault(hook, f"'wanted' of the output '{output.name}' must return a list of ids of devices")
            self._close(hook, output)

    def _check_directs(self) -> None:
        hook = "register_direct_outputs"
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        context = OutputContext(self._config, self._loop, "check")
        for output in self._own_outputs(hook, collect_direct_outputs(self._manager, context=context), ("attach",)):
            self._close(hook, output)

    def _own_outputs(self, hook: str, outputs: list[Any], methods: tuple[str, ...]) -> list[Any]:
        usable = []
        for output in outputs:
            if output.plugin != self._name:
                continue
            missing = [name for name in methods if not callable(getattr(output, name, None))]
            if missing:
                self._fault(hook, f"the output '{output.name}' has no method {' and '.join(map(repr, missing))}")
            else:
                usable.append(output)
        return usable

    def _close(self, hook: str, output: Any) -> None:
        if callable(getattr(output, "close", None)):
            for _ in range(2):
                self._call(hook, f"'close' of the output '{output.name}'", output.close)

    def _check_archives(self) -> None:
        for archive in self._collect("register_archives"):
            name = getattr(archive, "name", None)
            if not isinstance(name, str) or not 0 < len(name) <= 64:
                self._fault("register_archives", "an archive must have a 'name' of 1 to 64 characters")
            if missing := [one for one in _ARCHIVE_METHODS if not callable(getattr(archive, one, None))]:
                self._fault("register_archives", f"the archive '{name}' has no method {', '.join(map(repr, missing))}")

    def _check_detectors(self) -> None:
        names: list[str] = []
        for detector in self._collect("register_detectors"):
            name = getattr(detector, "name", None)
            if not isinstance(name, str) or not _DETECTOR_NAME.fullmatch(name):
                problem = f"the name of a detector must be lower-case letters, digits and '_', not {name!r:.80}"
                self._fault("register_detectors", problem)
            elif name in names:
                self._fault("register_detectors", f"there are two detectors '{name}'")
            names.append(name)

    def _check_health(self) -> None:
        hook = "register_health_checks"
        own = self._collect(hook)
        collect_health_checks(self._manager, self._config)
        for check in own:
            name = getattr(check, "name", "")
            if not isinstance(getattr(check, "check", None), Callable):
                continue
            # It may need what runs in a product only.
            found = self._call(hook, f"the health check '{name}'", check.check, level=WARNING)
            if found is FAILED:
                continue
            if not isinstance(found, ComponentHealth) or found.status not in ("ok", "degraded", "down"):
                problem = f"the health check '{name}' must return a ComponentHealth that is 'ok', 'degraded' or 'down'"
                self._fault(hook, problem)
            elif found.status != "ok" and not found.reason:
                self._fault(hook, f"the health check '{name}' says '{found.status}' without a reason")

    def _check_metrics(self) -> None:
        for name, metric in collect_metrics(self._manager).get(self._name, {}).items():
            self._call("register_metrics", f"'read' of the metric '{name}'", metric.read, level=WARNING)

    def _check_routes(self) -> None:
        # Imported only for plugins that have routes.
        from gateway.app import create_app

        app = create_app(self._config, self._manager)
        if any(found.name == self._name for found in self._manager.faulty):
            return
        reply = app.test_client().get("/api/v1/openapi.json")
        if reply.status_code != 200:
            self._fault("register_blueprints", "the OpenAPI document cannot be made with its routes")
