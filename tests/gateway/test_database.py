"""The database: connections per thread, locks, outages."""

import threading

import psycopg
import pytest

from gateway import database
from gateway.database import DatabaseUnavailable
from gateway.errors import ConfigError
from gateway.inventory import list_devices
from gateway.tenancy.tenants import Tenant
from tests.factories import make_config, make_device


def count_tenants() -> int:
    with database.session():
        return Tenant.select().count()


def test_sessions_can_be_nested_and_return_their_connection(bound_database):
    with database.session() as db:
        with database.session():
            assert count_tenants() == 1
        assert not db.is_closed()
    assert db.is_closed()


def test_a_transaction_is_committed_completely_or_not_at_all(bound_database, scope, box):
    def fail() -> None:
        with database.transaction():
            make_device(scope, box)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert list_devices(scope)[1] == 0


def test_many_threads_write_concurrently_without_an_error(bound_database, scope, box):
    errors = []

    def write(number: int) -> None:
        try:
            for turn in range(5):
                make_device(scope, box, name=f"{number}-{turn}")
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert errors == []
    assert list_devices(scope)[1] == 40


def test_a_reader_does_not_wait_for_a_writer(bound_database, scope, box):
    seen = []
    with database.transaction():
        make_device(scope, box)
        reader = threading.Thread(target=lambda: seen.append(list_devices(scope)[1]))
        reader.start()
        reader.join(5)
    assert seen == [0]


def test_postgresql_that_restarted_is_used_again(postgres_url, postgres_server):
    database.connect(make_config(database_url=postgres_url))
    assert count_tenants() == 1
    postgres_server.stop()
    try:
        with pytest.raises(DatabaseUnavailable):
            count_tenants()
    finally:
        postgres_server.start()
    database.connect(make_config(database_url=postgres_url))
    assert count_tenants() == 1


def test_a_connection_that_the_server_ended_is_replaced(postgres_url):
    database.connect(make_config(database_url=postgres_url))
    assert count_tenants() == 1
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'vas'")
    assert count_tenants() == 1


def test_after_an_outage_the_next_attempt_fails_at_once():
    database.connect(make_config(database_url="postgresql://vas:geheim@127.0.0.1:1/vas"))
    for _ in range(3):
        with pytest.raises(DatabaseUnavailable) as outage:
            count_tenants()
        assert "geheim" not in str(outage.value)
    database.close()


def test_a_missing_table_is_an_outage_with_its_remedy(tmp_path):
    database.connect(make_config(database_url=f"sqlite:///{tmp_path}/empty.db"))
    with pytest.raises(DatabaseUnavailable, match="vas release"):
        count_tenants()
    database.close()


def test_a_missing_table_on_postgresql_is_an_outage_too(postgres_server):
    database.connect(make_config(database_url=postgres_server.url("postgres")))
    with pytest.raises(DatabaseUnavailable, match="vas release"):
        count_tenants()
    database.close()


@pytest.mark.parametrize("url", ["mysql://x/y", "sqlite://var/vas.db", "sqlite:///"])
def test_other_database_urls_are_refused(url):
    with pytest.raises(ConfigError, match="DATABASE_URL"):
        database.build_database(url)


def test_a_connection_lost_inside_a_transaction_is_an_outage_and_nothing_is_committed(postgres_url, scope, box):
    database.connect(make_config(database_url=postgres_url))

    def lose() -> None:
        with database.transaction() as db:
            make_device(scope, box)
            (pid,) = db.execute_sql("SELECT pg_backend_pid()").fetchone()
            with psycopg.connect(postgres_url, autocommit=True) as other:
                other.execute("SELECT pg_terminate_backend(%s)", (pid,))
            make_device(scope, box)

    with pytest.raises(DatabaseUnavailable):
        lose()
    assert list_devices(scope)[1] == 0
    make_device(scope, box)
    assert list_devices(scope)[1] == 1
    database.close()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_full_disk_is_named_although_the_rollback_fails_as_well(bound_database, scope, box):
    # The pool has one connection, so the next session gets the same one.
    with database.session() as db:
        db.execute_sql(f"PRAGMA max_page_count = {db.execute_sql('PRAGMA page_count').fetchone()[0]}")
    with pytest.raises(DatabaseUnavailable, match="disk of the database is full"):
        make_device(scope, box, tags=["x" * 100_000])
