"""Files are for their owner only, but for those of folders that a deployer shares with a group."""

import grp
import logging
import os
import stat
from pathlib import Path
from types import SimpleNamespace

import pytest

from gateway import private_files
from gateway.private_files import choose_umask, keep_files_private
from tests.factories import make_config


@pytest.fixture(autouse=True)
def umask():
    """The umask of a login, restored after the test."""
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.fixture
def members(monkeypatch) -> list[str]:
    """The members of every group; without any, the group is the user's own."""
    members: list[str] = []
    monkeypatch.setattr(private_files, "grp", SimpleNamespace(getgrgid=lambda _gid: SimpleNamespace(gr_mem=members)))
    return members


@pytest.fixture
def config(tmp_path: Path, members):
    var = tmp_path / "var"
    return make_config(
        database_url=f"sqlite:///{var}/vas.db", var_dir=var, recordings_dir=var / "recordings",
        exports_dir=var / "exports", captures_dir=tmp_path / "captures",
    )  # fmt: skip


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def make_installation(var: Path) -> None:
    """VAR_DIR as earlier versions made it: world-readable."""
    for folder in ("recordings/tenant", "redis/appendonlydir", "secrets"):
        (var / folder).mkdir(parents=True)
    for file in ("vas.db", "vas.db-wal", "run.lock", "redis/appendonlydir/aof", "secrets/secret_key"):
        (var / file).write_text("x")
    (var / "recordings").chmod(0o750)


def test_an_installation_that_was_open_to_all_users_is_closed(config):
    make_installation(config.var_dir)
    keep_files_private(config)
    assert mode(config.var_dir) == 0o700
    for name in ("recordings", "redis", "secrets"):
        assert mode(config.var_dir / name) == 0o700, name
    for name in ("vas.db", "vas.db-wal", "run.lock"):
        assert mode(config.var_dir / name) == 0o600, name
    (config.var_dir / "new").write_text("x")
    assert mode(config.var_dir / "new") == 0o600


def test_the_second_time_nothing_is_changed(config, caplog):
    caplog.set_level(logging.INFO)
    make_installation(config.var_dir)
    keep_files_private(config)
    assert "was open to other users" in caplog.text
    caplog.clear()
    keep_files_private(config)
    assert caplog.text == ""


def test_an_installation_that_does_not_exist_yet_is_no_error(config):
    keep_files_private(config)
    assert os.umask(0o077) == 0o077


SHARED = {
    "the set-group-ID bit": lambda folder, members: folder.chmod(0o2750),
    "further members of the group": lambda folder, members: members.append("nginx"),
}
if os.geteuid() == 0:
    SHARED["another group"] = lambda folder, members: os.chown(folder, -1, grp.getgrnam("nogroup").gr_gid)


@pytest.mark.parametrize("means", SHARED)
def test_a_folder_that_is_shared_with_a_group_stays_so_for_the_group_alone(config, members, means):
    make_installation(config.var_dir)
    config.recordings_dir.chmod(0o755)
    SHARED[means](config.recordings_dir, members)
    keep_files_private(config)
    assert mode(config.recordings_dir) & 0o777 == 0o750
    assert bool(mode(config.recordings_dir) & stat.S_ISGID) == ("bit" in means)
    (config.recordings_dir / "new").write_text("x")
    assert mode(config.recordings_dir / "new") == 0o640
    for name in ("secrets", "redis"):
        assert mode(config.var_dir / name) == 0o700, name


def test_a_group_without_access_shares_nothing(config, members):
    members.append("nginx")
    make_installation(config.var_dir)
    for path in (config.var_dir, config.recordings_dir):
        path.chmod(0o700)
    keep_files_private(config)
    assert os.umask(0o077) == 0o077


def test_folders_outside_var_dir_keep_their_permissions(config):
    config.captures_dir.mkdir()
    config.captures_dir.chmod(0o755)
    keep_files_private(config)
    assert mode(config.captures_dir) == 0o755
    (config.captures_dir / "new").write_text("x")
    assert mode(config.captures_dir / "new") == 0o600


def test_what_is_not_ours_in_var_dir_is_not_touched(config):
    make_installation(config.var_dir)
    (config.var_dir / "website").mkdir()
    keep_files_private(config)
    assert mode(config.var_dir) == 0o755
    assert mode(config.var_dir / "website") == 0o755
    assert mode(config.var_dir / "vas.db") == 0o600


def test_no_link_is_followed(config, tmp_path):
    make_installation(config.var_dir)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    elsewhere.chmod(0o755)
    (config.var_dir / "exports").symlink_to(elsewhere)
    (config.var_dir / "captures").symlink_to(tmp_path / "nowhere")
    keep_files_private(config)
    assert mode(elsewhere) == 0o755


@pytest.mark.parametrize(("inherited", "chosen"), [(0o022, 0o077), (0o002, 0o077), (0, 0o077), (0o077, 0o077)])
def test_a_umask_that_lets_everybody_read_is_replaced(inherited, chosen):
    assert choose_umask(inherited, []) == chosen


@pytest.mark.parametrize("inherited", [0o027, 0o007, 0o037])
def test_a_umask_that_keeps_everybody_out_is_kept(inherited):
    assert choose_umask(inherited, []) == inherited
