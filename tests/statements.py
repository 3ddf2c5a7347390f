"""Records the SQL statements that a test executes."""

import re
import threading
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
def recorded_statements(*, of_this_thread: bool = False) -> Iterator[Statements]:
    """Record the statements of this process within the block; `of_this_thread`: not those of threads beside it."""
    statements = Statements()
    caller = threading.get_ident()

    def is_recorded() -> bool:
        return not of_this_thread or threading.get_ident() == caller

    execute = peewee.Database.execute_sql

    def execute_sql(self: peewee.Database, sql: str, *arguments: object, **options: object) -> object:
        if is_recorded():
            statements.append(sql)
        return execute(self, sql, *arguments, **options)

    begins = {kind: kind.begin for kind in (peewee.SqliteDatabase, peewee.PostgresqlDatabase)}

    def begin(self: peewee.Database, *arguments: object, **options: object) -> None:
        if is_recorded():
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
