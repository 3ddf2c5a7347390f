"""What plugins register for the plugins worker is checked, and a faulty plugin is named beside the others."""

import types

import pytest

from gateway.hookspecs import hookimpl
from gateway.plugin_tasks import PluginJob, PluginMigration, PluginSchedule, PluginService
from gateway.plugin_work.registrations import read_registered
from tests.factories import no_plugins


def nothing(*_arguments):
    """Work that does nothing."""


JOB = PluginJob("notes.copy", nothing, "Copy notes")
SCHEDULE = PluginSchedule("tidy", 60, nothing)
SERVICE = PluginService("send", nothing)


def read(name="notes", **hooks):
    module = types.ModuleType(name, "Keeps notes.")
    for hook, found in hooks.items():
        setattr(module, hook, hookimpl(found if callable(found) else lambda found=found: found, specname=hook))
    manager = no_plugins()
    manager.register(module, name=name)
    other = types.ModuleType("other", "Is right.")
    other.register_services = hookimpl(lambda: [SERVICE], specname="register_services")
    manager.register(other, name="other")
    found = read_registered(manager)
    assert found["other"].services == {"send": SERVICE}
    return found.get(name)


def test_the_work_of_a_plugin_is_found_by_name():
    found = read(register_jobs=[JOB], register_schedules=[SCHEDULE], register_services=[SERVICE])
    assert (found.jobs, found.schedules, found.services) == (
        {"notes.copy": JOB}, {"tidy": SCHEDULE}, {"send": SERVICE},
    )  # fmt: skip
    assert found.has_work
    assert found.problem is None


def test_a_plugin_without_work_is_left_out():
    assert read(register_jobs=[]) is None


def test_migrations_alone_need_no_worker():
    found = read(register_migrations=[PluginMigration(2, "b", nothing), PluginMigration(1, "a", nothing)])
    assert list(found.migrations) == [1, 2]
    assert not found.has_work


def fail():
    raise RuntimeError("no licence")


def leave():
    raise SystemExit(2)


@pytest.mark.parametrize(
    ("hooks", "problem"),
    [
        ({"register_jobs": fail}, "plugin 'notes' failed in register_jobs: RuntimeError: no licence"),
        ({"register_services": leave}, "failed in register_services: SystemExit: 2"),
        ({"register_services": lambda: None}, "must return a list from register_services, not NoneType"),
        ({"register_services": [SCHEDULE]}, "must return PluginService objects from register_services"),
        ({"register_jobs": [PluginJob("copy", nothing, "Copy")]}, "must be like 'notes.word', not 'copy'"),
        ({"register_jobs": [PluginJob("other.copy", nothing, "Copy")]}, "must be like 'notes.word'"),
        ({"register_jobs": [PluginJob("notes.copy", nothing, "")]}, "must have 1 to 80 characters"),
        ({"register_jobs": [JOB, JOB]}, "registers two of the jobs 'notes.copy'"),
        ({"register_services": [PluginService("a b", nothing)]}, "not 'a b'"),
        ({"register_schedules": [PluginSchedule("tidy", 0, nothing)]}, "'every_seconds' of the schedule 'tidy'"),
        ({"register_schedules": [PluginSchedule("tidy", 9, nothing, float("nan"))]}, "'deadline_seconds'"),
        ({"register_migrations": [PluginMigration(0, "a", nothing)]}, "must have a number from 1"),
    ],
)
def test_a_wrong_registration_is_told_and_sets_the_plugin_aside(hooks, problem):
    found = read(**hooks)
    assert problem in found.problem
    assert not found.has_work


def test_a_name_that_cannot_begin_a_table_is_refused():
    assert "cannot have work or tables" in read("My-Notes", register_services=[SERVICE]).problem
