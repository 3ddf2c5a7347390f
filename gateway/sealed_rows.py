"""Whether a database holds camera credentials already, which only the SECRET_KEY of before can decrypt.

Reads the database by itself: settings are read before anything is connected.
"""

import contextlib
import sqlite3
from pathlib import Path
from urllib.parse import unquote, urlsplit

_QUERY = "SELECT 1 FROM devices LIMIT 1"
_CONNECT_SECONDS = 5


class DatabaseUnreadable(Exception):
    """It cannot be told what the database holds; the text says why."""


def has_devices(database_url: str) -> bool:
    """Whether there is a device; False without the table or the SQLite file. Raises DatabaseUnreadable."""
    parts = urlsplit(database_url)
    if parts.scheme == "sqlite":
        return _is_in_sqlite(Path(unquote(parts.path[1:])))
    return _is_in_postgresql(database_url)


def _is_in_sqlite(file: Path) -> bool:
    if not file.is_file():
        return False
    try:
        with contextlib.closing(sqlite3.connect(file, timeout=_CONNECT_SECONDS)) as connection:
            if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'devices'").fetchone() is None:
                return False
            return connection.execute(_QUERY).fetchone() is not None
    except sqlite3.Error as error:
        raise DatabaseUnreadable(str(error)) from error


def _is_in_postgresql(url: str) -> bool:
    import psycopg

    try:
        with psycopg.connect(url, connect_timeout=_CONNECT_SECONDS) as connection:
            return connection.execute(_QUERY).fetchone() is not None
    except psycopg.errors.UndefinedTable:
        return False
    except psycopg.Error as error:
        # Its text may name the address, but no password.
        raise DatabaseUnreadable(str(error).splitlines()[0]) from error
