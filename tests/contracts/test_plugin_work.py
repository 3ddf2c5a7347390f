"""The work and the tables of our own plugins: registered without a problem, and migrated on both databases."""

import pytest

from gateway import database
from gateway.plugin_loading import load_plugins
from gateway.plugin_work.migrating import drop_tables, migrate_plugins, missing_of_plugins, tables_of
from gateway.plugin_work.registrations import read_registered
from tests.factories import make_config


@pytest.fixture
def registered(tmp_path):
    return read_registered(load_plugins(make_config(var_dir=tmp_path)))


def test_the_work_of_our_plugins_is_registered_without_a_problem(registered):
    assert {name: plugin.problem for name, plugin in registered.items() if plugin.problem} == {}
    assert registered


def test_the_migrations_of_our_plugins_run_and_their_tables_can_be_dropped(bound_database, registered):
    with database.session() as db:
        before = set(db.get_tables())
    reports = migrate_plugins(registered)
    assert {report.plugin: report.failed for report in reports if report.failed} == {}
    assert missing_of_plugins(registered) == {}
    with database.session() as db:
        created = set(db.get_tables()) - before
    assert created == {table for name in registered for table in tables_of(name)}
    for name in registered:
        drop_tables(name)
    with database.session() as db:
        assert set(db.get_tables()) == before
