"""A plugin's migration may change its own tables and nothing else."""

import pytest

from gateway.plugin_work.statements import MigrationRefused, StatementCheck

CORE = {"devices", "notes_kept", "tenants"}


def new_check(owned=(), prefixes=()):
    return StatementCheck("notes", set(owned), lambda name: name in CORE, set(prefixes))


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE notes_a (id INTEGER, tenant_id TEXT NOT NULL)",
        "create table if not exists \"notes_a\" (tenant_id TEXT, at TEXT DEFAULT 'drop; it''s')",
        "CREATE TABLE notes_a (tenant_id UUID, other INTEGER REFERENCES notes_old (id) ON DELETE CASCADE);",
        "CREATE TABLE notes_a (id INTEGER PRIMARY KEY, up INTEGER REFERENCES notes_a (id), tenant_id UUID)",
        "CREATE TABLE notes_a (tenant_id UUID NOT NULL REFERENCES tenants (id))",
        "CREATE UNIQUE INDEX IF NOT EXISTS notes_old_at ON notes_old (at) -- of times",
        "ALTER TABLE notes_old ADD COLUMN b TEXT",
        "ALTER TABLE notes_old DROP COLUMN b",
        "DROP TABLE IF EXISTS notes_old",
        "DROP INDEX notes_old_at",
        "INSERT INTO notes_old (a) VALUES (%s) ON CONFLICT DO UPDATE SET a = 1",
        "INSERT INTO notes_old (tenant_id, name) SELECT tenant_id, name FROM devices",
        "UPDATE notes_old SET a = 'DELETE FROM devices'",
        "/* all */ DELETE FROM notes_old WHERE a = ?",
    ],
)
def test_statements_about_tables_of_the_plugin_are_accepted(statement):
    new_check({"notes_old"}).check(statement)


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("CREATE TABLE devices (tenant_id TEXT)", "must begin with 'notes_'"),
        ("CREATE TABLE note (tenant_id TEXT)", "must begin with 'notes_'"),
        ("CREATE TABLE IF NOT EXISTS notes_kept (tenant_id TEXT)", "exists and does not belong"),
        ("CREATE TABLE notes_more_a (tenant_id TEXT)", "a name of plugin 'notes_more'"),
        ("CREATE TABLE notes_a (id TEXT)", "needs the column tenant_id"),
        ("CREATE TABLE notes_a AS SELECT * FROM devices", "list the columns"),
        ("CREATE TABLE notes_a (tenant_id TEXT, d TEXT REFERENCES devices (id))", "refers to table 'devices'"),
        ("CREATE TABLE public.notes_a (tenant_id TEXT)", "without a schema"),
        ("CREATE INDEX notes_x ON devices (name)", "does not belong to plugin 'notes'"),
        ("ALTER TABLE devices ADD COLUMN b TEXT", "table 'devices' does not belong"),
        ('ALTER TABLE "devices" ADD COLUMN b TEXT', "table 'devices' does not belong"),
        ("ALTER TABLE notes_old RENAME TO devices", "must begin with 'notes_'"),
        ("DROP TABLE notes_old, devices", "table 'devices' does not belong"),
        ("INSERT INTO devices (id) VALUES (1)", "table 'devices' does not belong"),
        ("UPDATE devices SET name = ''", "table 'devices' does not belong"),
        ("DELETE FROM devices", "table 'devices' does not belong"),
        ("DELETE FROM notes_kept", "table 'notes_kept' does not belong"),
        ("CREATE TRIGGER notes_t AFTER INSERT ON devices BEGIN DELETE FROM devices; END", "is refused"),
        ("CREATE TRIGGER notes_t AFTER INSERT ON notes_old BEGIN SELECT 1; END", "is refused"),
        ("CREATE VIEW notes_v AS SELECT 1", "a migration may use"),
        ("PRAGMA foreign_keys = OFF", "a migration may use"),
        ("TRUNCATE devices", "a migration may use"),
        ("DO $$ BEGIN DELETE FROM devices; END $$", "pass one statement"),
        ("DELETE FROM notes_old; DELETE FROM devices", "pass one statement"),
        ("WITH x AS (DELETE FROM devices RETURNING id) INSERT INTO notes_old SELECT id FROM x", "a migration may use"),
        ("INSERT INTO notes_old WITH x AS (DELETE FROM devices RETURNING 1) SELECT * FROM x", "contains DELETE"),
        (r"UPDATE notes_old SET a = E'\''; DELETE FROM devices --'", "as a value"),
        ("", "a migration may use"),
        ("CREATE TABLE", "no name of a table"),
    ],
)
def test_other_statements_are_refused_by_name(statement, problem):
    with pytest.raises(MigrationRefused, match=problem):
        new_check({"notes_old"}, {"notes_more_"}).check(statement)


def test_tables_are_noted_as_they_are_created_renamed_and_dropped():
    check = new_check()
    check.check("CREATE TABLE notes_a (tenant_id TEXT)")
    check.check("CREATE TABLE notes_b (tenant_id TEXT)")
    check.check("ALTER TABLE notes_a RENAME TO notes_c")
    check.check("DROP TABLE notes_b")
    assert check.owned == {"notes_c"}
    with pytest.raises(MigrationRefused):
        check.check("INSERT INTO notes_b (tenant_id) VALUES (1)")
