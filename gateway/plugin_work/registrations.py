"""What each plugin registers for the plugins worker; the failure of one plugin is told beside the others' work."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from gateway.errors import PluginError
from gateway.isolation.threads import PluginQuit, call_once
from gateway.plugin_manager import REGISTER_SECONDS, PluginManager
from gateway.plugin_tasks import PluginJob, PluginMigration, PluginSchedule, PluginService

#: The hooks whose objects the plugins worker runs.
WORK_HOOKS = ("register_jobs", "register_schedules", "register_services")

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_MIGRATION_NAME = re.compile(r"[a-z0-9_]{1,60}")
_PLUGIN_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_TITLE_LENGTH = 80


@dataclass(frozen=True, slots=True)
class Registered:
    """The work of a plugin by name; `problem` if one of its hooks has failed, and what it registered is not used."""

    plugin: str
    jobs: dict[str, PluginJob] = field(default_factory=dict)
    schedules: dict[str, PluginSchedule] = field(default_factory=dict)
    services: dict[str, PluginService] = field(default_factory=dict)
    migrations: dict[int, PluginMigration] = field(default_factory=dict)
    problem: str | None = None

    @property
    def asks(self) -> bool:
        """Whether it tells if its services are needed."""
        return any(service.is_needed is not None for service in self.services.values())

    @property
    def has_work(self) -> bool:
        """Whether a plugins worker must run."""
        return bool(self.jobs or self.schedules or self.services)


@lru_cache(maxsize=8)
def read_registered(manager: PluginManager) -> dict[str, Registered]:
    """What the plugins register, by the name of the plugin; those that register nothing are left out."""
    found: dict[str, Registered] = {}
    for name, _ in sorted(manager.list_name_plugin()):
        registered = read_one(manager, name)
        if registered.has_work or registered.migrations or registered.problem:
            found[name] = registered
    return found


def read_one(manager: PluginManager, name: str) -> Registered:
    """What one plugin registers. A process of this plugin alone does not load what others need for their work."""
    try:
        return _read_plugin(manager, name)
    except PluginError as error:
        return Registered(name, problem=error.message)


def _read_plugin(manager: PluginManager, name: str) -> Registered:
    jobs = _call(manager, name, "register_jobs", PluginJob)
    schedules = _call(manager, name, "register_schedules", PluginSchedule)
    services = _call(manager, name, "register_services", PluginService)
    migrations = _call(manager, name, "register_migrations", PluginMigration)
    if (jobs or schedules or services or migrations) and not _PLUGIN_NAME.fullmatch(name):
        raise PluginError(
            f"plugin '{name}' cannot have work or tables: its name must be lower-case letters, digits and '_'"
        )
    for job in jobs:
        prefix, _, word = job.kind.partition(".")
        if prefix != name or not _NAME.fullmatch(word):
            raise PluginError(f"the kind of a job of plugin '{name}' must be like '{name}.word', not '{job.kind}'")
        if not isinstance(job.title, str) or not 0 < len(job.title) <= _TITLE_LENGTH:
            raise PluginError(f"the title of the jobs '{job.kind}' must have 1 to {_TITLE_LENGTH} characters")
    for one in (*schedules, *services):
        if not isinstance(one.name, str) or not _NAME.fullmatch(one.name):
            raise PluginError(f"a name of plugin '{name}' must be lower-case letters, digits and '_', not '{one.name}'")
    for schedule in schedules:
        for label, seconds in (("every", schedule.every_seconds), ("deadline", schedule.deadline_seconds)):
            if not isinstance(seconds, int | float) or not 1 <= seconds <= 366 * 86_400:
                raise PluginError(
                    f"'{label}_seconds' of the schedule '{schedule.name}' of plugin '{name}' must be between 1 and "
                    f"{366 * 86_400}, not {seconds!r}"
                )
    for one in migrations:
        if not isinstance(one.number, int) or one.number < 1 or not _MIGRATION_NAME.fullmatch(str(one.name)):
            raise PluginError(
                f"a migration of plugin '{name}' must have a number from 1 and a name like 'add_table', not "
                f"{one.number!r} and '{one.name}'"
            )
    return Registered(
        name,
        jobs=_by_key(name, "job", ((one.kind, one) for one in jobs)),
        schedules=_by_key(name, "schedule", ((one.name, one) for one in schedules)),
        services=_by_key(name, "service", ((one.name, one) for one in services)),
        migrations=_by_key(name, "migration", ((one.number, one) for one in sorted(migrations, key=_number))),
    )


def _call(manager: PluginManager, name: str, hook: str, kind: type) -> list[Any]:
    """What one plugin returns from a hook. Raises PluginError, whatever the plugin raises."""
    found: list[Any] = []
    for implementation in getattr(manager.hook, hook).get_hookimpls():
        if implementation.plugin_name != name:
            continue
        try:
            objects = call_once(name, hook, manager.call, implementation, {}, seconds=REGISTER_SECONDS)
        except Exception as failure:
            error = failure.__cause__ if isinstance(failure, PluginQuit) else failure
            raise PluginError(f"plugin '{name}' failed in {hook}: {type(error).__name__}: {error}") from error
        if not isinstance(objects, list):
            raise PluginError(f"plugin '{name}' must return a list from {hook}, not {type(objects).__name__}")
        for one in objects:
            if not isinstance(one, kind):
                raise PluginError(f"plugin '{name}' must return {kind.__name__} objects from {hook}, not {one!r:.80}")
        found += objects
    return found


def _by_key(plugin: str, label: str, pairs: Iterable[tuple[Any, Any]]) -> dict[Any, Any]:
    found: dict[Any, Any] = {}
    for key, one in pairs:
        if key in found:
            raise PluginError(f"plugin '{plugin}' registers two of the {label}s '{key}'")
        found[key] = one
    return found


def _number(migration: PluginMigration) -> int:
    return migration.number
