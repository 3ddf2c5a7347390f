"""The work of plugins as it stands: set aside, failing, without a worker; for the API and the health."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import redis

from gateway.hookspecs import ComponentHealth
from gateway.plugin_manager import PluginManager
from gateway.plugin_work.migrating import missing_of_plugins
from gateway.plugin_work.registrations import Registered, read_registered
from gateway.plugin_work.schedules import PluginScheduleRow, read_schedules
from gateway.plugin_work.services import PluginWorkers, ServiceState, ServiceStates

#: Deaths or failures in a row from which on they are told.
TOLD_FROM = 3

_LOG = "see the log of the plugins worker; update, mend or uninstall the plugin"


@dataclass(frozen=True, slots=True)
class WorkProblem:
    """A problem of a plugin's work, and its remedy."""

    reason: str
    remedy: str


@dataclass(frozen=True, slots=True)
class PluginWork:
    """The work of one plugin. `states` None: Redis does not answer."""

    registered: Registered
    schedules: Mapping[str, PluginScheduleRow] = field(default_factory=dict)
    states: Mapping[str, ServiceState] | None = None
    problems: list[WorkProblem] = field(default_factory=list)


def read_work(manager: PluginManager, client: redis.Redis) -> dict[str, PluginWork]:
    """The work of all plugins that have any, by their names. Raises DatabaseUnavailable."""
    registered = read_registered(manager)
    if not registered:
        return {}
    missing = missing_of_plugins(registered)
    rows = read_schedules(name for name, plugin in registered.items() if plugin.schedules)
    states: dict[tuple[str, str], ServiceState] | None = None
    served: set[str] | None = None
    try:
        states = ServiceStates(client).read(
            (name, service) for name, plugin in registered.items() for service in plugin.services
        )
        served = _served(PluginWorkers(client), registered)
    except redis.RedisError:
        # The health has a component for Redis itself.
        states = None
    return {
        name: PluginWork(
            plugin,
            {schedule: rows[name, schedule] for schedule in plugin.schedules if (name, schedule) in rows},
            None if states is None else {key[1]: state for key, state in states.items() if key[0] == name},
            list(_find_problems(plugin, missing.get(name), rows, states or {}, served)),
        )
        for name, plugin in registered.items()
    }


def check_work(manager: PluginManager, client: redis.Redis) -> ComponentHealth:
    """Check that the work of all plugins can be done, and does not fail. Raises DatabaseUnavailable."""
    work = read_work(manager, client)
    problems = {name: [problem.reason for problem in plugin.problems] for name, plugin in work.items()}
    problems = {name: reasons for name, reasons in problems.items() if reasons}
    detail = {"plugins": len(work), "problems": problems}
    if not problems:
        return ComponentHealth("ok", detail=detail)
    name = next(iter(problems))
    first = work[name].problems[0]
    return ComponentHealth("degraded", f"plugin '{name}': {first.reason}", first.remedy, detail)


def _served(workers: PluginWorkers, registered: Mapping[str, Registered]) -> set[str]:
    """The plugins whose work some worker does."""
    return set(registered) if workers.has_general() else workers.apart()


def _find_problems(
    plugin: Registered,
    missing: str | None,
    rows: Mapping[tuple[str, str], PluginScheduleRow],
    states: Mapping[tuple[str, str], ServiceState],
    served: set[str] | None,
) -> Iterable[WorkProblem]:
    name = plugin.plugin
    if plugin.problem:
        yield WorkProblem(plugin.problem, "update, mend or uninstall the plugin")
    if missing:
        yield WorkProblem(f"it is set aside: {missing}", "run 'vas release'; if that fails, update or mend the plugin")
    if plugin.has_work and served is not None and name not in served:
        yield WorkProblem("no plugins worker runs for it", "start the plugins process (Procfile)")
    for service in plugin.services:
        state = states.get((name, service))
        if state is not None and state.deaths >= TOLD_FROM:
            yield WorkProblem(f"its service '{service}' has died {state.deaths} times in a row: {state.error}", _LOG)
    for schedule in plugin.schedules:
        row = rows.get((name, schedule))
        if row is not None and row.failures >= TOLD_FROM:
            yield WorkProblem(f"its schedule '{schedule}' has failed {row.failures} times in a row: {row.error}", _LOG)
