"""Migrations run once and in order, also when two releases start at the same time."""

import multiprocessing
import uuid

import psycopg
import pytest

from gateway import database, migrations
from gateway.captures.bookmarks import BookmarkTag
from gateway.captures.snapshots import SnapshotTag
from gateway.devices.model import DeviceTag
from gateway.events.model import Event, record_event
from gateway.tags import tags_of
from gateway.tenancy.scopes import EVERY_TENANT
from gateway.tenancy.tenants import DEFAULT_TENANT_ID, Tenant
from tests.factories import make_config
from tests.statements import recorded_statements

ALL = [
    "0001_initial",
    "0002_recording",
    "0003_captures",
    "0004_snapshot_search",
    "0005_device_bin",
    "0006_tags_by_owner",
    "0007_clock_trust",
    "0008_request_keys",
    "0009_source_trust",
    "0010_plugin_options",
    "0011_events",
    "0012_archive",
    "0013_plugin_work",
    "0014_event_pages",
]
DEVICE = "00000000-0000-4000-8000-0000000000d1"
#: Tables whose rows belong to no tenant.
NOBODYS = (
    "tenants", "storages", "clock_trust", "event_cursor", "schema_migrations", "sqlite_sequence",
    "plugin_migrations", "plugin_tables", "plugin_schedules", "archives", "archive_deletions",
)  # fmt: skip

INSERT_DEVICE = (
    "INSERT INTO devices (id, tenant_id, name, name_key, search_text, source_url, source_sealed, "
    "has_credentials,"
    " transport, description, location, start_mode, idle_seconds, enabled, version, source_version, created_at,"
    f" updated_at) VALUES ('{DEVICE}', '{DEFAULT_TENANT_ID}', 'a', 'a', 'a', 'rtsp://a', '', FALSE, 'tcp', "
    "'', '',"
    " 'always', 60, TRUE, 1, 1, CURRENT_TIMESTAMP, CURRENT_TIMESTAMP)"
)


@pytest.fixture(params=["sqlite", "postgresql"])
def new_database(request, tmp_path):
    """A database without any table."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/new/folder/vas.db"
    else:
        server = request.getfixturevalue("postgres_server")
        name = f"new_{uuid.uuid4().hex[:8]}"
        with psycopg.connect(server.url(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        yield server.url(name)
    database.close()


def migrate_in_process(url: str, answers: multiprocessing.Queue) -> None:
    try:
        database.connect(make_config(database_url=url))
        answers.put(migrations.migrate())
    except BaseException as error:
        answers.put(repr(error))


def test_a_second_release_does_nothing(new_database):
    database.connect(make_config(database_url=new_database))
    assert migrations.missing_migrations() == migrations.migrate() == ALL
    assert migrations.missing_migrations() == migrations.migrate() == []


def test_the_first_migration_creates_the_default_tenant(new_database):
    database.connect(make_config(database_url=new_database))
    migrations.migrate()
    with database.session():
        assert [tenant.id for tenant in Tenant.select()] == [DEFAULT_TENANT_ID]


def test_two_concurrent_releases_run_each_migration_once(new_database):
    context = multiprocessing.get_context("spawn")
    answers = context.Queue()
    releases = [context.Process(target=migrate_in_process, args=(new_database, answers)) for _ in range(3)]
    for release in releases:
        release.start()
    found = [answers.get(timeout=60) for _ in releases]
    for release in releases:
        release.join(30)
    assert sorted(name for names in found for name in names) == ALL


def test_sqlite_keeps_a_write_ahead_log(tmp_path):
    database.connect(make_config(database_url=f"sqlite:///{tmp_path}/vas.db"))
    migrations.migrate()
    with database.session() as db:
        assert db.execute_sql("PRAGMA journal_mode").fetchone() == ("wal",)
        assert db.execute_sql("PRAGMA foreign_keys").fetchone() == (1,)
    database.close()


def test_every_table_has_a_tenant(bound_database):
    with database.session() as db:
        for table in db.get_tables():
            if table not in NOBODYS:
                columns = {column.name for column in db.get_columns(table)}
                assert columns & {"tenant_id", "recording_id", "segment_id"}, table


def test_existing_devices_are_not_recorded_until_recording_is_switched_on(new_database):
    database.connect(make_config(database_url=new_database))
    first, *later = migrations.known_migrations().items()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrations, "known_migrations", lambda: dict([first]))
        migrations.migrate()
    with database.transaction() as db:
        db.execute_sql(INSERT_DEVICE)
    assert [name[:4] for name in migrations.migrate()] == [f"{number:04d}" for number, _ in later]
    with database.session() as db:
        assert db.execute_sql("SELECT mode, observed, epoch FROM recordings").fetchall() == [("off", "off", 0)]


def test_cameras_with_tls_go_on_as_they_were(new_database):
    database.connect(make_config(database_url=new_database))
    known = migrations.known_migrations()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrations, "known_migrations", lambda: dict(list(known.items())[:8]))
        migrations.migrate()
    urls = {"1": ("rtsp://a/", "NULL"), "2": ("rtsps://a/", "NULL"), "3": ("rtsp://a/", "'rtsps://a/'")}
    with database.transaction() as db:
        for number, (main, sub) in urls.items():
            one = INSERT_DEVICE.replace(DEVICE, DEVICE[:-1] + number).replace(
                "'a', 'a', 'a'", f"'{number}', '{number}', 'a'"
            )
            db.execute_sql(one.replace("'rtsp://a'", f"'{main}'"))
            db.execute_sql(f"UPDATE devices SET sub_source_url = {sub} WHERE name = '{number}'")
    migrations.migrate()
    with database.session() as db:
        found = dict(db.execute_sql("SELECT name, tls_trust FROM devices").fetchall())
    assert found == {"1": "verify", "2": "any", "3": "any"}


def test_two_migrations_cannot_have_one_number(tmp_path, monkeypatch):
    for name in ("0001_first", "0001_second"):
        (tmp_path / f"{name}.py").write_text("")
    monkeypatch.setattr(migrations, "__path__", [str(tmp_path), *migrations.__path__])
    with pytest.raises(RuntimeError, match="has the number of another migration"):
        migrations.known_migrations()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("owner", [DeviceTag.device_id, SnapshotTag.snapshot_id, BookmarkTag.bookmark_id])
def test_the_tags_of_one_row_are_found_without_reading_all_tags_of_the_tenant(bound_database, scope, owner):
    with recorded_statements() as statements:
        tags_of(scope, owner, [DEVICE])
    with database.session() as db:
        plan = db.execute_sql(f"EXPLAIN QUERY PLAN {statements[0]}", (DEFAULT_TENANT_ID, DEVICE)).fetchall()
    assert [row[3].partition("(")[2] for row in plan] == [f"tenant_id=? AND {owner.name}=?)"]


def test_existing_snapshots_are_found_by_their_text(new_database):
    database.connect(make_config(database_url=new_database))
    *earlier, last = list(migrations.known_migrations().items())[:4]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrations, "known_migrations", lambda: dict(earlier))
        migrations.migrate()
    with database.transaction() as db:
        db.execute_sql(
            "INSERT INTO snapshots (id, tenant_id, device_id, device_name, at_ms, kind, width, height, size, file, "
            "note,"
            f" version, created_by, created_at) VALUES ('{DEVICE}', '{DEFAULT_TENANT_ID}', '{DEVICE}', 'Straße', 1, "
            "'live',"
            " 1, 1, 1, 'a', 'An der TÜR', 1, '', CURRENT_TIMESTAMP)"
        )
        db.execute_sql(
            f"INSERT INTO snapshot_tags (snapshot_id, tenant_id, tag) VALUES ('{DEVICE}', '{DEFAULT_TENANT_ID}', "
            "'Gate')"
        )
    assert migrations.migrate()[0] == last[1].__name__.rpartition(".")[2]
    with database.session() as db:
        assert db.execute_sql("SELECT search_text FROM snapshots").fetchall() == [("an der tür\ngate\nstrasse",)]


def test_the_history_survives_the_release_that_brings_the_bin(new_database):
    database.connect(make_config(database_url=new_database))
    earlier = [item for item in migrations.known_migrations().items() if item[0] < 5]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrations, "known_migrations", lambda: dict(earlier))
        migrations.migrate()
    with database.transaction() as db:
        db.execute_sql(INSERT_DEVICE)
        db.execute_sql(
            "INSERT INTO device_events (id, tenant_id, device_id, at, from_state, to_state, run, text) VALUES "
            f"(7, '{DEFAULT_TENANT_ID}', '{DEVICE}', CURRENT_TIMESTAMP, 'stopped', 'starting', 3, 'x')"
        )
    migrations.migrate()
    with database.transaction() as db:
        db.execute_sql("DELETE FROM recordings")
        db.execute_sql("DELETE FROM devices")
        assert db.execute_sql("SELECT id, run, kind, text FROM events").fetchall() == [(7, 3, "state", "x")]


@pytest.mark.parametrize("is_newest_deleted", [False, True])
def test_the_history_becomes_events_whose_numbers_go_on(new_database, is_newest_deleted):
    database.connect(make_config(database_url=new_database))
    earlier = [item for item in migrations.known_migrations().items() if item[0] < 10]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrations, "known_migrations", lambda: dict(earlier))
        migrations.migrate()
    with database.transaction() as db:
        db.execute_sql(INSERT_DEVICE)
        for number in (1, 2):
            db.execute_sql(
                "INSERT INTO device_events (tenant_id, device_id, at, from_state, to_state, run, kind, text) VALUES "
                f"('{DEFAULT_TENANT_ID}', '{DEVICE}', '2026-11-30T12:00:00.123456+00:00', '', 'x', 0, 'clip', {number})"
            )
        if is_newest_deleted:
            db.execute_sql("DELETE FROM device_events WHERE text = '2'")
    migrations.migrate()
    event_id = record_event(DEFAULT_TENANT_ID, DEVICE, "clip", "3")
    assert event_id > 2
    with database.session():
        first, *_, last = EVERY_TENANT.select(Event).order_by(Event.cursor)
    assert (first.id, first.cursor, first.run, first.from_state, first.to_state) == (1, 1, None, None, "x")
    assert first.start_ms == first.end_ms == 1_796_040_000_123
    assert (last.id, last.text) == (event_id, "3")
    assert last.cursor > 2
