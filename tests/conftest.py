"""Fixtures of all suites: a private Redis, SQLite and PostgreSQL, and the application that uses them.

Everything is real, listens on a free loopback port, is stored in a temporary folder and ends with the run.
"""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import psycopg
import pytest

from gateway import database, migrations
from gateway.config import Config
from gateway.events.bell import take_bell_down
from gateway.isolation.guard import GUARD
from gateway.isolation.problems import Problems
from gateway.secrets import SecretBox
from gateway.tenancy.scopes import TenantScope
from gateway.tenancy.tenants import DEFAULT_TENANT_ID
from gateway.testing.redis_server import RedisServer
from tests.factories import make_config
from tests.faults.report import FaultTables
from tests.findings import Findings, note_finding
from tests.leftovers import Leftovers
from tests.order import LongestFiles

START_SECONDS = 20

# No example has a deadline: it would depend on what else the machine does.
hypothesis.settings.register_profile("vas", deadline=None)
hypothesis.settings.load_profile("vas")

#: In an order in which their rows can be deleted; dependent rows of a device are deleted with it.
_TABLES = (
    "snapshot_tags",
    "snapshots",
    "bookmark_tags",
    "bookmarks",
    "jobs",
    "protections",
    "recording_events",
    "recording_gaps",
    "recording_quarters",
    "archive_deletions",
    "segment_copies",
    "archives",
    "segment_parts",
    "segments",
    "recordings",
    "storages",
    "clock_trust",
    "events",
    "deleted_devices",
    "plugin_options",
    "option_changes",
    "devices",
    "demo_devices",
    "request_keys",
    "plugin_migrations",
    "plugin_tables",
    "plugin_schedules",
    "tenants",
)

_SERVICES = frozenset({"redis_server", "postgres_server", "database_url", "new_database"})


def pytest_configure(config):
    config.pluginmanager.register(Findings(), "findings")
    config.pluginmanager.register(FaultTables(), "tables of faults")
    config.pluginmanager.register(LongestFiles(), "longest files")
    config.pluginmanager.register(Leftovers(), "leftovers")


def pytest_terminal_summary(terminalreporter, exitstatus, config):
    if _must_not_skip() and terminalreporter.stats.get("skipped"):
        terminalreporter.write_line("CI=true: a skipped test fails the run", red=True)


def pytest_collection_modifyitems(items):
    """Every test that starts a service is an integration test: `-m 'not integration'` needs none."""
    for item in items:
        if _SERVICES.intersection(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.integration)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session, exitstatus):
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if _must_not_skip() and exitstatus == 0 and reporter and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _must_not_skip() -> bool:
    return os.environ.get("CI") == "true"


@pytest.fixture(autouse=True)
def fresh_process() -> Iterator[None]:
    """What is one object a process: no test sees the problems of plugins of another, nor rings its bell."""
    yield
    GUARD.stop()
    GUARD.problems = Problems()
    take_bell_down()


@pytest.fixture
def note(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """`note("median 133 ms")`: a measurement, printed at the end of the run."""
    return lambda text: note_finding(request.node, text)


def wait_until(condition: Callable[[], object], what: str, seconds: float = 10.0) -> object:
    """Poll until `condition` returns something true, and return that; fail after `seconds`, naming `what`."""
    deadline = time.monotonic() + seconds
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:g} s: {what}")
        time.sleep(0.02)


def free_port() -> int:
    """A TCP port on loopback that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class PostgresServer:
    """A private PostgreSQL cluster. It refuses to run as root, so then it runs as the user postgres."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self._data = folder / "data"

    def url(self, name: str = "postgres") -> str:
        return f"postgresql://vas:{'pg-secret'}@127.0.0.1:{self.port}/{name}"

    def create(self) -> None:
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres", "postgres")
        self._run("initdb", "-D", str(self._data), "-U", "vas", "-A", "trust", "-E", "UTF8", "--no-sync")

    def start(self) -> None:
        options = (
            f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self.folder} "
            "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c shared_buffers=32MB -c "
            "max_connections=60"
        )
        self._run("pg_ctl", "-D", str(self._data), "-o", options, "-l", str(self.folder / "log"), "-w", "start")

    def empty(self, name: str) -> None:
        """Delete all rows of a database but the default tenant."""
        keep = {"tenants": f" WHERE id <> '{DEFAULT_TENANT_ID}'"}
        # One request for all tables, because thousands of tests wait for it.
        statements = "; ".join(f"DELETE FROM {table}{keep.get(table, '')}" for table in _TABLES)
        with psycopg.connect(self.url(name), autocommit=True) as connection:
            connection.execute(statements)

    def stop(self) -> None:
        self._run("pg_ctl", "-D", str(self._data), "-m", "immediate", "-w", "stop", check=False)

    def _run(self, program: str, *arguments: str, check: bool = True) -> None:
        command = [_postgres_program(program), *arguments]
        if os.geteuid() == 0:
            command = ["runuser", "-u", "postgres", "--", *command]
        done = subprocess.run(
            command,
            cwd=self.folder,
            check=False,
            timeout=60,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert done.returncode == 0 or not check, f"{program}: {done.stderr}"


def _postgres_program(name: str) -> str:
    found = shutil.which(name) or next(
        (str(path) for path in sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)), None
    )
    assert found, f"{name} is missing: apt-get install postgresql"
    return found


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def redis_url(redis_server: RedisServer) -> str:
    """The URL of an empty Redis."""
    redis_server.empty()
    return redis_server.url


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    # Not in pytest's own folder: another run that starts meanwhile closes that folder to the user postgres.
    folder = Path(tempfile.mkdtemp(prefix="vas-postgres-"))
    server = PostgresServer(folder)
    server.create()
    server.start()
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE model")
    database.connect(make_config(database_url=server.url("model")))
    migrations.migrate()
    database.close()
    yield server
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def sqlite_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the schema, of which every test gets a copy."""
    path = tmp_path_factory.mktemp("sqlite") / "model.db"
    database.connect(make_config(database_url=f"sqlite:///{path}"))
    migrations.migrate()
    database.close()
    return path


@pytest.fixture
def sqlite_url(sqlite_model: Path, tmp_path: Path) -> str:
    """A SQLite database with the schema and nothing else."""
    path = tmp_path / "vas.db"
    shutil.copy(sqlite_model, path)
    return f"sqlite:///{path}"


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> str:
    """A PostgreSQL database with the schema and nothing else. Emptied, not recreated: that takes half a second."""
    postgres_server.empty("model")
    return postgres_server.url("model")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A migrated, empty database: the test runs once on each kind.

    A test that does not depend on the database uses one: `parametrize("database_url", ["sqlite"], indirect=True)`.
    """
    return request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")


@pytest.fixture
def config(database_url: str, redis_url: str, tmp_path: Path) -> Config:
    """Settings over the private services."""
    return make_config(
        database_url=database_url,
        redis_url=redis_url,
        var_dir=tmp_path / "var",
        recordings_dir=tmp_path / "var/recordings",
        exports_dir=tmp_path / "var/exports",
        captures_dir=tmp_path / "var/captures",
    )


@pytest.fixture
def bound_database(database_url: str) -> Iterator[str]:
    """The models bound to `database_url`."""
    database.connect(make_config(database_url=database_url))
    yield database_url
    database.close()


@pytest.fixture
def box() -> SecretBox:
    return SecretBox.from_config(make_config())


@pytest.fixture
def scope() -> TenantScope:
    return TenantScope(DEFAULT_TENANT_ID)
