"""The state of each plugin over all processes, for the API, health and `vas doctor`."""

import logging
from dataclasses import dataclass, replace

import redis

from gateway.isolation.guard import GUARD
from gateway.isolation.problems import STATES, PluginProblem, ProblemReports
from gateway.plugin_manager import PluginDescription, PluginManager, describe_plugins

log = logging.getLogger(__name__)

_ASIDE_REMEDY = "update or uninstall it; it is tried again by itself, at longer and longer intervals"


@dataclass(frozen=True, slots=True)
class PluginState:
    """An installed plugin and its problems; its state, reason and remedy are those of the worst."""

    name: str
    package: str
    version: str
    description: str
    hooks: tuple[str, ...]
    state: str
    reason: str | None
    remedy: str | None
    problems: tuple[PluginProblem, ...]


def read_plugin_states(manager: PluginManager, client: redis.Redis) -> list[PluginState]:
    """All installed plugins by name; without Redis, with the problems of this process alone."""
    problems = [replace(problem, process="this process") for problem in GUARD.problems.list()]
    try:
        problems += ProblemReports(client).read()
    except redis.RedisError as error:
        log.debug("the problems of plugins cannot be read now: %s", error)
    return [_describe(found, problems) for found in describe_plugins(manager)]


def _describe(found: PluginDescription, problems: list[PluginProblem]) -> PluginState:
    own = [problem for problem in problems if problem.plugin == found.name]
    if (aside := GUARD.aside(found.name)) is not None:
        own.append(PluginProblem(found.name, "set_aside", aside.describe(), _ASIDE_REMEDY))
    if found.state != "running":
        own = [PluginProblem(found.name, found.state, found.reason or "", found.remedy or "")]
    own.sort(key=lambda problem: STATES.index(problem.state))
    # Most problems of loading are the same in every process.
    own = list({(problem.state, problem.reason): problem for problem in reversed(own)}.values())[::-1]
    worst = own[0] if own else None
    return PluginState(
        name=found.name,
        package=found.package,
        version=found.version,
        description=found.description,
        hooks=found.hooks,
        state=worst.state if worst else "running",
        reason=worst.reason if worst else None,
        remedy=(worst.remedy or None) if worst else None,
        problems=tuple(own),
    )
