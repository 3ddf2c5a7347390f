"""Fixtures of the archiver's tests."""

import pytest

from gateway import database
from tests.factories import make_config
from tests.plugins.s3_archiver.world import World, make_world


@pytest.fixture
def archive_config(database_url, tmp_path):
    """Settings with folders of the test's own; no Redis."""
    return make_config(
        database_url=database_url,
        var_dir=tmp_path / "var",
        recordings_dir=tmp_path / "var/recordings",
        exports_dir=tmp_path / "var/exports",
        captures_dir=tmp_path / "var/captures",
    )


@pytest.fixture
def world(archive_config, bound_database, scope) -> World:
    """One device, on each kind of database."""
    made = make_world(archive_config, scope)
    yield made
    if database.is_postgresql():
        with database.transaction() as connection:
            connection.execute_sql("DROP TABLE s3_archiver_objects")
