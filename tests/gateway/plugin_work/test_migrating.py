"""Migrations of plugins (`register_migrations`): each once, each plugin by itself, and the failed ones are named."""

import multiprocessing
import types

import peewee
import pytest
from click.testing import CliRunner

from gateway import database
from gateway.cli import main
from gateway.hookspecs import hookimpl
from gateway.plugin_tasks import PluginMigration
from gateway.plugin_work.migrating import drop_tables, migrate_plugins, missing_of_plugins, tables_of
from gateway.plugin_work.registrations import read_registered
from gateway.tenancy.scopes import TenantRow, UnscopedQuery
from tests.factories import make_config, no_plugins

pytestmark = pytest.mark.usefixtures("bound_database")


class Note(TenantRow):
    text = peewee.TextField()

    class Meta:
        table_name = "notes_list"


def create_notes(run, column_types):
    run(f"CREATE TABLE notes_list (id {column_types.big_serial}, tenant_id {column_types.id} NOT NULL, text TEXT)")


def fill_notes(run, column_types):
    from gateway.tenancy.tenants import DEFAULT_TENANT_ID

    mark = column_types.mark
    run(f"INSERT INTO notes_list (tenant_id, text) VALUES ({mark}, {mark})", (DEFAULT_TENANT_ID, "100%"))


def touch_devices(run, column_types):
    run("CREATE TABLE notes_more (tenant_id TEXT)")
    run("UPDATE devices SET name = 'mine'")


FIRST, SECOND = PluginMigration(1, "create", create_notes), PluginMigration(2, "fill", fill_notes)


def installed(**plugins):
    manager = no_plugins()
    for name, migrations in plugins.items():
        module = types.ModuleType(name, "Keeps notes.")
        module.register_migrations = hookimpl(lambda found=migrations: found, specname="register_migrations")
        manager.register(module, name=name)
    return read_registered(manager)


@pytest.fixture(autouse=True)
def without_tables(bound_database):
    yield
    for name in ("notes", "other", "segment"):
        drop_tables(name)


def test_each_migration_runs_once_in_the_order_of_its_number(scope):
    plugins = installed(notes=[SECOND, FIRST])
    assert missing_of_plugins(plugins) == {"notes": "its migration 1_create has not run"}
    (report,) = migrate_plugins(plugins)
    assert (report.ran, report.failed) == (["1_create", "2_fill"], None)
    assert migrate_plugins(plugins) == []
    assert missing_of_plugins(plugins) == {}
    with database.session():
        assert [note.text for note in scope.select(Note)] == ["100%"]
    with pytest.raises(UnscopedQuery):
        Note.select()


def test_a_failed_migration_is_undone_and_named_and_stops_no_other_plugin():
    plugins = installed(notes=[FIRST, PluginMigration(2, "wrong", touch_devices)], other=[PluginMigration(1, "a", _a)])
    reports = {report.plugin: report for report in migrate_plugins(plugins)}
    assert reports["notes"].ran == ["1_create"]
    assert "2_wrong failed" in reports["notes"].failed
    assert "'devices' does not belong" in reports["notes"].failed
    assert reports["other"].ran == ["1_a"]
    assert tables_of("notes") == ["notes_list"]
    (problem,) = missing_of_plugins(plugins).values()
    assert "2_wrong failed: MigrationRefused" in problem
    mended = installed(notes=[FIRST, SECOND])
    assert migrate_plugins(mended)[0].ran == ["2_fill"]
    assert missing_of_plugins(mended) == {}


@pytest.mark.parametrize("error", [ValueError("password=hunter2"), SystemExit(3)])
def test_whatever_a_migration_raises_is_told_without_secrets(error):
    def fail(run, column_types):
        raise error

    (report,) = migrate_plugins(installed(notes=[PluginMigration(1, "fail", fail)]))
    assert type(error).__name__ in report.failed
    assert "hunter2" not in report.failed


def test_wrong_sql_is_a_failure_of_the_plugin():
    def fail(run, column_types):
        run("CREATE TABLE notes_list (tenant_id TEXT, nothing REFERENCES)")

    (report,) = migrate_plugins(installed(notes=[PluginMigration(1, "fail", fail)]))
    assert "1_fail failed" in report.failed
    assert tables_of("notes") == []


def test_a_plugin_cannot_take_a_table_of_the_product_by_its_name():
    def take(run, column_types):
        run("CREATE TABLE IF NOT EXISTS segment_parts (tenant_id TEXT)")

    (report,) = migrate_plugins(installed(segment=[PluginMigration(1, "take", take)]))
    assert "exists and does not belong to plugin 'segment'" in report.failed
    assert drop_tables("segment") == []
    with database.session() as db:
        assert db.table_exists("segment_parts")


def test_the_tables_stay_without_the_plugin_and_are_deleted_on_request(monkeypatch, bound_database, tmp_path):
    migrate_plugins(installed(notes=[FIRST]))
    assert migrate_plugins(installed()) == []
    monkeypatch.setenv("DATABASE_URL", bound_database)
    monkeypatch.setenv("VAR_DIR", str(tmp_path))
    refused = CliRunner().invoke(main, ["plugin", "drop-data", "notes"], input="n\n")
    assert refused.exit_code == 1
    assert "notes_list" in refused.output
    assert tables_of("notes") == ["notes_list"]
    done = CliRunner().invoke(main, ["plugin", "drop-data", "notes"], input="y\n")
    assert done.exit_code == 0
    assert "deleted: notes_list" in done.output
    assert tables_of("notes") == []
    assert "has no tables" in CliRunner().invoke(main, ["plugin", "drop-data", "notes"]).output
    assert migrate_plugins(installed(notes=[FIRST]))[0].ran == ["1_create"]


def migrate_in_process(url, answers):
    try:
        database.connect(make_config(database_url=url))
        answers.put([name for report in migrate_plugins(installed(notes=[FIRST])) for name in report.ran])
    except BaseException as error:
        answers.put(repr(error))


def test_two_releases_at_the_same_time_run_a_migration_once(bound_database):
    context = multiprocessing.get_context("fork")
    answers = context.Queue()
    database.close()
    releases = [context.Process(target=migrate_in_process, args=(bound_database, answers)) for _ in range(3)]
    for release in releases:
        release.start()
    found = sorted(answers.get(timeout=30) for _ in releases)
    for release in releases:
        release.join(10)
    database.connect(make_config(database_url=bound_database))
    assert found == [[], [], ["1_create"]]


def _a(run, column_types):
    run(f"CREATE TABLE other_a (tenant_id {column_types.id} NOT NULL)")
