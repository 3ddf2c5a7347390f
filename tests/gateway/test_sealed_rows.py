"""No SECRET_KEY is made up for a database whose cameras were encrypted with another one."""

import shutil

import pytest

from gateway.config import Config
from gateway.errors import ConfigError
from gateway.sealed_rows import has_devices
from tests.conftest import free_port
from tests.factories import make_device


@pytest.fixture
def environment(bound_database, tmp_path) -> dict[str, str]:
    """An installation without settings of secrets."""
    return {"DATABASE_URL": bound_database, "VAR_DIR": str(tmp_path / "var")}


def test_a_database_without_cameras_gets_a_new_key(environment):
    assert len(Config.from_environment(environment).secret_key) >= 16


def test_a_database_with_cameras_gets_no_new_key(environment, scope, box, tmp_path):
    make_device(scope, box)
    with pytest.raises(ConfigError, match="'SECRET_KEY' is not set, its file is missing") as raised:
        Config.from_environment(environment)
    assert "secrets/secret_key' from a backup" in raised.value.message
    assert not (tmp_path / "var/secrets/secret_key").exists(), "a later start with the right key must find no other"
    assert Config.from_environment(environment | {"SECRET_KEY": "the-key-of-before-0123"}).secret_key


def test_a_key_that_was_made_is_used_also_when_there_are_cameras(environment, scope, box):
    first = Config.from_environment(environment).secret_key
    make_device(scope, box)
    assert Config.from_environment(environment).secret_key == first


def test_a_lost_folder_of_secrets_is_told_from_a_first_start(environment, scope, box, tmp_path):
    Config.from_environment(environment)
    make_device(scope, box)
    shutil.rmtree(tmp_path / "var/secrets")
    with pytest.raises(ConfigError, match="restore"):
        Config.from_environment(environment)


def test_a_database_before_its_first_migration_has_no_cameras(tmp_path):
    assert not has_devices(f"sqlite:///{tmp_path}/none.db")
    assert not (tmp_path / "none.db").exists()
    (tmp_path / "empty.db").touch()
    assert not has_devices(f"sqlite:///{tmp_path}/empty.db")


def test_a_postgresql_database_before_its_first_migration_has_no_cameras(postgres_server):
    assert not has_devices(postgres_server.url("postgres"))


@pytest.mark.parametrize("kind", ["a server that does not answer", "a file that is no database"])
def test_a_database_that_cannot_be_read_makes_up_no_key(kind, tmp_path):
    (tmp_path / "broken.db").write_text("this is not a database, but a text of more than sixteen bytes" * 100)
    url = f"sqlite:///{tmp_path}/broken.db"
    if kind.startswith("a server"):
        url = f"postgresql://vas:pg-secret@127.0.0.1:{free_port()}/vas"
    with pytest.raises(ConfigError, match="it cannot be told") as raised:
        Config.from_environment({"DATABASE_URL": url, "VAR_DIR": str(tmp_path / "var")})
    assert "pg-secret" not in raised.value.message
    assert not (tmp_path / "var/secrets").exists()
