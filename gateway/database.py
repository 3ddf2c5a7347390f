"""The database: SQLite in WAL mode or PostgreSQL through psycopg 3, whichever DATABASE_URL names.

`connect(config)` binds the models once per process; `session()` provides the calling thread with a pooled connection;
`transaction()` is the only way to write. All work the same in a request, an actor and a command.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import peewee
from playhouse.pool import MaxConnectionsExceeded, PooledPostgresqlDatabase, PooledSqliteDatabase
from psycopg.errors import UndefinedColumn, UndefinedTable

from gateway.clock import utc_now
from gateway.config import Config
from gateway.errors import ConfigError, Unavailable

logger = logging.getLogger(__name__)

#: The database that the models are bound to; `connect` sets it.
proxy = peewee.DatabaseProxy()

#: Maximum number of connections per process; a thread that needs another one waits for `_POOL_WAIT_SECONDS`.
_POOL_SIZE = 20
_POOL_WAIT_SECONDS = 5
#: For this time after a failed attempt to connect, further attempts fail at once, so that threads do not queue up
#: behind a server that does not answer.
_DOWN_SECONDS = 1.0
_SQLITE_BUSY_SECONDS = 10

#: Errors of the driver that mean "not available now" rather than "wrong query".
_DOWN_ERRORS = (peewee.OperationalError, peewee.InterfaceError, MaxConnectionsExceeded)


class DatabaseUnavailable(Unavailable):
    """The database does not answer, or its schema does not match this code."""

    reason = "database_unavailable"


class _Gate(threading.local):
    """The number of nested sessions that the thread has open, and the functions to call after its commit."""

    def __init__(self) -> None:
        self.depth = 0
        self.after_commit: list[Callable[[], object]] = []


class _Outage:
    """The time until which the server counts as away after a failed attempt to connect."""

    until = 0.0


_gate = _Gate()
_outage = _Outage()


def build_database(url: str) -> peewee.Database:
    """Build the peewee database for a DATABASE_URL without connecting; raises ConfigError for an unknown scheme.

    A relative SQLite path (`sqlite:///var/vas.db`) starts at the working folder; its folder is created.
    """
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        path = sqlite_file(url)
        path.parent.mkdir(parents=True, exist_ok=True)
        return PooledSqliteDatabase(
            str(path),
            max_connections=_POOL_SIZE,
            timeout=_POOL_WAIT_SECONDS,
            lock_type="IMMEDIATE",  # a transaction waits for its lock at BEGIN and never fails half-way
            check_same_thread=False,
            pragmas=(
                ("busy_timeout", _SQLITE_BUSY_SECONDS * 1000),
                ("foreign_keys", 1),
                ("synchronous", "NORMAL"),
            ),
        )
    if parts.scheme in ("postgresql", "postgres"):
        return PooledPostgresqlDatabase(
            "postgresql://" + url.split("://", 1)[1],
            prefer_psycopg3=True,
            max_connections=_POOL_SIZE,
            timeout=_POOL_WAIT_SECONDS,
            connect_timeout=3,
            keepalives_idle=10,
            keepalives_interval=5,
            keepalives_count=3,
            tcp_user_timeout=10_000,
            prepare_threshold=None,  # a pooler such as PgBouncer may be in between
            application_name="vas",
            options="-c lock_timeout=10s -c statement_timeout=30s -c timezone=UTC",
        )
    raise ConfigError(f"'DATABASE_URL' must start with sqlite:// or postgresql://, not {parts.scheme!r}")


def sqlite_file(url: str) -> Path | None:
    """The file of a DATABASE_URL, None for a server; raises ConfigError without a path."""
    parts = urlsplit(url)
    if parts.scheme != "sqlite":
        return None
    if parts.netloc or not parts.path[1:]:
        raise ConfigError("'DATABASE_URL' must be sqlite:///PATH with three slashes and a path")
    return Path(unquote(parts.path[1:])).absolute()


def connect(config: Config) -> peewee.Database:
    """Bind the models to the database of `config`, closing the previously bound one.

    Opens no connection, so this succeeds while the server is away. Call it after a fork, not before.
    """
    close()
    proxy.initialize(build_database(config.database_url))
    _outage.until = 0.0
    return proxy.obj


def close() -> None:
    """Close every pooled connection of this process; may be called twice."""
    database = proxy.obj
    if database is None:
        return
    try:
        if not database.is_closed():
            database.close()
        database.close_idle()
    except peewee.PeeweeException:
        logger.debug("closing the database failed", exc_info=True)


def is_postgresql() -> bool:
    """Whether the bound database is PostgreSQL."""
    return isinstance(proxy.obj, peewee.PostgresqlDatabase)


@contextmanager
def session() -> Iterator[peewee.Database]:
    """A connection for this thread until the block ends; blocks may be nested.

    A pooled connection that the server has closed is replaced before use. Raises DatabaseUnavailable when the server
    is away, also when it goes away inside the block.
    """
    if proxy.obj is None:
        raise DatabaseUnavailable("the database is not bound yet: call gateway.database.connect(config) first")
    if _gate.depth:
        yield proxy.obj
        return
    database = proxy.obj
    _open(database)
    _gate.depth += 1
    try:
        yield database
    except _DOWN_ERRORS as error:
        raise DatabaseUnavailable(describe_failure(error)) from error
    except peewee.ProgrammingError as error:
        if isinstance(error.orig, (UndefinedTable, UndefinedColumn)):
            raise DatabaseUnavailable(describe_failure(error)) from error
        raise
    finally:
        _gate.depth -= 1
        try:
            database.close()
        except peewee.PeeweeException:
            logger.debug("returning a connection to the pool failed", exc_info=True)


@contextmanager
def transaction() -> Iterator[peewee.Database]:
    """A session whose writes are committed together or not at all.

    On SQLite it takes the write lock at its start. Nested blocks are savepoints.
    """
    with session() as database:
        is_outermost = database.transaction_depth() == 0
        try:
            with database.atomic():
                yield database
        except BaseException:
            if is_outermost:
                _gate.after_commit.clear()
            raise
        if is_outermost:
            _run_after_commit()


def after_commit(function: Callable[[], object]) -> None:
    """Call a function once the transaction of this thread is committed, and not if it is rolled back.

    It must be quick and not raise: what it would report is committed already. The same function is called once.
    """
    if function not in _gate.after_commit:
        _gate.after_commit.append(function)


def _run_after_commit() -> None:
    functions, _gate.after_commit = _gate.after_commit, []
    for function in functions:
        try:
            function()
        except Exception:
            logger.exception("a function failed after a commit")


def now() -> datetime:
    """The time of the database, for times that processes on several machines write and compare.

    PostgreSQL's server has one clock for all of them; SQLite's processes share the clock of their machine.
    """
    with session() as database:
        if not is_postgresql():
            return utc_now()
        (moment,) = database.execute_sql("SELECT clock_timestamp()").fetchone()
        return moment.astimezone(UTC)


def take_numbers(name: str, count: int) -> list[Any]:
    """The next numbers of a counter, as values for rows of the present transaction.

    SQLite has one writer at a time, so a table with one row counts. On PostgreSQL the counter is a sequence, and each
    number is taken within the statement that stores it, when its transaction is visible in `transaction_numbers`.
    """
    if is_postgresql():
        return [peewee.SQL(f"nextval('{name}')")] * count
    # The name is a constant of the caller.
    row = proxy.obj.execute_sql(f"UPDATE {name} SET value = value + ? RETURNING value", (count,))  # noqa: S608
    (last,) = row.fetchone()
    return list(range(last - count + 1, last + 1))


def last_number(name: str) -> int:
    """The number that a counter gave last, also to a transaction that goes on or was rolled back."""
    with session() as database:
        column = "last_value" if is_postgresql() else "value"
        (last,) = database.execute_sql(f"SELECT {column} FROM {name}").fetchone()  # noqa: S608 (constants)
        return last


def transaction_numbers() -> tuple[int, int]:
    """The oldest transaction that goes on, and the number that the next one gets, on PostgreSQL."""
    with session() as database:
        row = database.execute_sql(
            "SELECT pg_snapshot_xmin(s)::text, pg_snapshot_xmax(s)::text FROM pg_current_snapshot() AS s"
        ).fetchone()
        return int(row[0]), int(row[1])


def describe_failure(error: BaseException) -> str:
    """One sentence why the database cannot be used, without address or password."""
    text = str(_find_cause(error)).lower()
    if "no such table" in text or "no such column" in text or "does not exist" in text:
        return "the database schema is not up to date: run 'vas release'"
    if "locked" in text:
        return "the database is locked by another process"
    if isinstance(error, MaxConnectionsExceeded):
        return "all connections to the database are in use"
    if "is full" in text or "no space left" in text:
        return "the disk of the database is full: make room on it"
    if "readonly" in text or "disk" in text or "unable to open" in text:
        return "the database file cannot be read or written: check its folder, rights and free space"
    return "the database does not answer"


def _find_cause(error: BaseException) -> BaseException:
    """The original error: SQLite itself rolls back a transaction when its disk is full, and a second rollback fails."""
    while "no transaction is active" in str(error) and error.__context__ is not None:
        error = error.__context__
    return error


def _open(database: peewee.Database) -> None:
    if time.monotonic() < _outage.until:
        raise DatabaseUnavailable("the database does not answer")
    try:
        database.connect(reuse_if_open=True)
    except _DOWN_ERRORS as error:
        _outage.until = time.monotonic() + _DOWN_SECONDS
        raise DatabaseUnavailable(describe_failure(error)) from error
