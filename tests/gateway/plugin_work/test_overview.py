"""What is wrong with the work of plugins is named, with its remedy."""

import types

import pytest
import redis

from gateway import database
from gateway.clock import utc_now
from gateway.health import check_plugin_work
from gateway.hookspecs import hookimpl
from gateway.plugin_tasks import PluginMigration, PluginSchedule, PluginService
from gateway.plugin_work.migrating import drop_tables, migrate_plugins
from gateway.plugin_work.overview import check_work, read_work
from gateway.plugin_work.registrations import read_registered
from gateway.plugin_work.schedules import PluginScheduleRow
from gateway.plugin_work.services import PAUSING, RUNNING, PluginWorkers, ServiceState, ServiceStates
from gateway.redis_client import connect_redis
from tests.factories import make_config, no_plugins

pytestmark = pytest.mark.usefixtures("bound_database")


def create_table(run, column_types):
    run(f"CREATE TABLE notes_list (tenant_id {column_types.id} NOT NULL)")


@pytest.fixture
def manager():
    manager = no_plugins()
    module = types.ModuleType("notes", "Keeps notes.")
    for hook, found in {
        "register_services": [PluginService("send", lambda stop: None)],
        "register_schedules": [PluginSchedule("tidy", 60, lambda: None)],
        "register_migrations": [PluginMigration(1, "create", create_table)],
    }.items():
        setattr(module, hook, hookimpl(lambda found=found: found, specname=hook))
    manager.register(module, name="notes")
    migrate_plugins(read_registered(manager))
    yield manager
    drop_tables("notes")


@pytest.fixture
def problems(manager, client):
    return lambda: [problem.reason for problem in read_work(manager, client)["notes"].problems]


def test_without_plugins_with_work_nothing_is_wrong(client):
    health = check_work(no_plugins(), client)
    assert (health.status, health.detail) == ("ok", {"plugins": 0, "problems": {}})


def test_a_missing_worker_is_named_until_one_reports(manager, client, problems):
    assert problems() == ["no plugins worker runs for it"]
    assert check_work(manager, client).remedy == "start the plugins process (Procfile)"
    workers = PluginWorkers(client)
    workers.report("w1", ["other"], 0, 1)
    assert problems() == ["no plugins worker runs for it"]
    workers.report("w2", ["notes"], 0, 1)
    assert problems() == []
    workers.withdraw("w2", ["notes"])
    workers.report("w3", [], 0, 1)
    assert problems() == []
    assert check_work(manager, client).status == "ok"


def test_a_failing_service_is_named_from_its_third_death(client, problems):
    PluginWorkers(client).report("w1", [], 0, 1)
    states = ServiceStates(client)
    states.report("notes", "send", ServiceState(RUNNING, "w1", 1, restarts=2, deaths=2, error="ValueError: no"))
    assert problems() == []
    states.report("notes", "send", ServiceState(PAUSING, "w1", 1, restarts=3, deaths=3, error="ValueError: no"))
    assert problems() == ["its service 'send' has died 3 times in a row: ValueError: no"]


def test_a_failing_schedule_is_named_from_its_third_failure(client, problems):
    PluginWorkers(client).report("w1", [], 0, 1)
    with database.transaction():
        PluginScheduleRow.insert(
            plugin="notes", name="tidy", next_at=utc_now(), failures=3, error="OSError: disk"
        ).execute()
    assert problems() == ["its schedule 'tidy' has failed 3 times in a row: OSError: disk"]


def test_missing_tables_are_named_with_the_command(manager, client, problems):
    PluginWorkers(client).report("w1", [], 0, 1)
    drop_tables("notes")
    assert problems() == ["it is set aside: its migration 1_create has not run"]
    assert "vas release" in check_work(manager, client).remedy


def test_while_redis_is_away_the_rest_is_told(manager):
    away = connect_redis("redis://127.0.0.1:1/0", timeout_seconds=0.2)
    with pytest.raises(redis.RedisError):
        away.ping()
    work = read_work(manager, away)["notes"]
    assert (work.states, work.problems) == (None, [])


def test_while_the_database_is_away_the_health_says_so(manager, client, tmp_path, bound_database):
    database.connect(make_config(database_url=f"sqlite:///{tmp_path}/empty.db"))
    assert check_plugin_work(manager, client).status == "degraded"
    database.close()
    database.connect(make_config(database_url=bound_database))
