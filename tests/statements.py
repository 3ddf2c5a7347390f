"""Records the SQL statements that a test executes."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import peewee

_WRITE = re.compile(r"\s*(INSERT|UPDATE|DELETE|BEGIN)", re.IGNORECASE)


class Statements(list[str]):
    """The statements in order. `writes`: those that write, and the begin of each transaction (SQLite's write lock)."""

    @property
    def writes(self) -> list[str]:
        return [sql for sql in self if _WRITE.match(sql)]


@contextmanager
def recorded_statements() -> Iterator[Statements]:
    """Record all statements of this process within the block."""
    statements = Statements()
    execute = peewee.Database.execute_sql

    def execute_sql(self: peewee.Database, sql: str, *arguments: object, **options: object) -> object:
        statements.append(sql)
        return execute(self, sql, *arguments, **options)

    begins = {kind: kind.begin for kind in (peewee.SqliteDatabase, peewee.PostgresqlDatabase)}

    def begin(self: peewee.Database, *arguments: object, **options: object) -> None:
        statements.append("BEGIN")
        next(begin for kind, begin in begins.items() if isinstance(self, kind))(self, *arguments, **options)

    peewee.Database.execute_sql = execute_sql
    for kind in begins:
        kind.begin = begin
    try:
        yield statements
    finally:
        peewee.Database.execute_sql = execute
        for kind, original in begins.items():
            kind.begin = original
