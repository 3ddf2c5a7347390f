"""Migrations of plugins' tables: run by `vas release` after the core's, each in a transaction, each plugin by itself.

The table `plugin_migrations` notes what has run and what has failed; `plugin_tables` notes which tables belong to which
plugin. They stay when a plugin is uninstalled.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import peewee

from gateway import database
from gateway.migrations import POSTGRESQL_TYPES, SQLITE_TYPES
from gateway.plugin_tasks import PluginMigration
from gateway.plugin_work.registrations import Registered
from gateway.plugin_work.statements import StatementCheck
from gateway.redaction import redact_text, shorten
from gateway.tenancy.scopes import Row, TimeField

log = logging.getLogger(__name__)

#: An arbitrary constant: on PostgreSQL, concurrent releases take turns by this advisory lock.
_ADVISORY_LOCK = 7_382_002
_MAX_ERROR = 500


class PluginMigrationRow(Row):
    """A migration that has run (`applied_at`) or failed (`error`)."""

    plugin = peewee.TextField()
    number = peewee.IntegerField()
    name = peewee.TextField()
    applied_at = TimeField(null=True)
    error = peewee.TextField(null=True)

    class Meta:
        table_name = "plugin_migrations"
        primary_key = peewee.CompositeKey("plugin", "number")


class PluginTableRow(Row):
    """A table that belongs to a plugin."""

    name = peewee.TextField(primary_key=True)
    plugin = peewee.TextField()

    class Meta:
        table_name = "plugin_tables"


@dataclass(frozen=True, slots=True)
class MigrationReport:
    """The migrations of a plugin that ran, such as `2_add_index`, and the one that failed with its error."""

    plugin: str
    ran: list[str]
    failed: str | None = None


def migrate_plugins(registered: Mapping[str, Registered]) -> list[MigrationReport]:
    """Run the missing migrations of all plugins; after a failure go on with the next plugin. Safe to run twice."""
    reports = []
    for name, plugin in registered.items():
        ran: list[str] = []
        failed = plugin.problem
        for migration in plugin.migrations.values():
            try:
                if _run(name, migration, set(registered)):
                    ran.append(_label(migration))
            except (Exception, SystemExit) as error:
                failed = f"migration {_label(migration)} failed: {_describe(error)}"
                _note_failure(name, migration, _describe(error))
                log.warning("plugin '%s': %s", name, failed)
                break
        if ran or failed:
            reports.append(MigrationReport(name, ran, failed))
    return reports


def missing_of_plugins(registered: Mapping[str, Registered]) -> dict[str, str]:
    """Why the tables of a plugin are not up to date, by plugin. Raises DatabaseUnavailable."""
    waiting = {name: plugin for name, plugin in registered.items() if plugin.migrations}
    if not waiting:
        return {}
    with database.session():
        rows = list(PluginMigrationRow.select().where(PluginMigrationRow.plugin.in_(list(waiting))))
    known = {(row.plugin, row.number): row for row in rows}
    missing = {}
    for name, plugin in waiting.items():
        for number, migration in plugin.migrations.items():
            row = known.get((name, number))
            if row is None:
                missing[name] = f"its migration {_label(migration)} has not run"
            elif row.applied_at is None:
                missing[name] = f"its migration {_label(migration)} failed: {row.error}"
            else:
                continue
            break
    return missing


def tables_of(plugin: str) -> list[str]:
    """The tables that belong to a plugin, installed or not. Raises DatabaseUnavailable."""
    with database.session():
        rows = PluginTableRow.select().where(PluginTableRow.plugin == plugin).order_by(PluginTableRow.name)
        return [row.name for row in rows]


def drop_tables(plugin: str) -> list[str]:
    """Delete the tables of a plugin and forget its migrations; returns the names of the tables."""
    with database.transaction() as db:
        _lock(db)
        names = tables_of(plugin)
        if names and database.is_postgresql():
            db.execute_sql(f"DROP TABLE IF EXISTS {', '.join(map(_quote, names))}")
        elif names:
            # References between the tables must not refuse the order of their names.
            db.execute_sql("PRAGMA defer_foreign_keys = ON")
            for name in names:
                db.execute_sql(f"DROP TABLE IF EXISTS {_quote(name)}")
        PluginTableRow.delete().where(PluginTableRow.plugin == plugin).execute()
        PluginMigrationRow.delete().where(PluginMigrationRow.plugin == plugin).execute()
    return names


def _run(plugin: str, migration: PluginMigration, plugins: set[str]) -> bool:
    """Run a migration unless it has run; returns whether it ran."""
    with database.transaction() as db:
        _lock(db)
        key = (PluginMigrationRow.plugin == plugin) & (PluginMigrationRow.number == migration.number)
        row = PluginMigrationRow.select().where(key).first()
        if row is not None and row.applied_at is not None:
            return False
        owned = set(tables_of(plugin))
        check = StatementCheck(plugin, owned, db.table_exists, {f"{name}_" for name in plugins})

        def run(statement: str, values: tuple[Any, ...] | None = None) -> Any:
            check.check(statement)
            return db.execute_sql(statement, values)

        migration.upgrade(run, POSTGRESQL_TYPES if database.is_postgresql() else SQLITE_TYPES)
        PluginTableRow.delete().where(PluginTableRow.plugin == plugin).execute()
        for name in sorted(check.owned):
            PluginTableRow.insert(name=name, plugin=plugin).execute()
        _write_row(plugin, migration, applied_at=database.now(), error=None)
    return True


def _lock(db: peewee.Database) -> None:
    if database.is_postgresql():
        db.execute_sql("SELECT pg_advisory_xact_lock(%s)", (_ADVISORY_LOCK,))


def _note_failure(plugin: str, migration: PluginMigration, error: str) -> None:
    with database.transaction():
        _write_row(plugin, migration, applied_at=None, error=error)


def _write_row(plugin: str, migration: PluginMigration, *, applied_at: datetime | None, error: str | None) -> None:
    key = (PluginMigrationRow.plugin == plugin) & (PluginMigrationRow.number == migration.number)
    PluginMigrationRow.delete().where(key).execute()
    PluginMigrationRow.insert(
        plugin=plugin, number=migration.number, name=migration.name, applied_at=applied_at, error=error
    ).execute()


def _label(migration: PluginMigration) -> str:
    return f"{migration.number}_{migration.name}"


def _describe(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return shorten(redact_text(f"{type(error).__name__}: {text}" if text else type(error).__name__), _MAX_ERROR)


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
