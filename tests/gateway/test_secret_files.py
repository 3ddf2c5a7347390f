"""Secrets are generated once, also by processes that start at the same time, and stored for their owner alone."""

import threading

import pytest

from gateway.errors import ConfigError
from gateway.secret_files import read_or_make_secret


def test_processes_that_start_at_the_same_time_agree_on_the_secret(tmp_path):
    found, pre_roll_filter = [], threading.Barrier(16)

    def make() -> None:
        pre_roll_filter.wait()
        found.append(read_or_make_secret(tmp_path / "secrets" / "key"))

    threads = [threading.Thread(target=make) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(found) == 16
    assert len(set(found)) == 1


def test_an_unusable_secret_file_is_named(tmp_path):
    (tmp_path / "short").write_text("abc\n")
    with pytest.raises(ConfigError, match="short' must hold at least 16"):
        read_or_make_secret(tmp_path / "short")
    with pytest.raises(ConfigError, match="cannot be read"):
        read_or_make_secret(tmp_path / "short" / "below")
    (tmp_path / "bytes").write_bytes(b"\xff" * 40)
    with pytest.raises(ConfigError, match="cannot be read"):
        read_or_make_secret(tmp_path / "bytes")


def test_a_secret_that_cannot_be_stored_is_named(tmp_path):
    (tmp_path / "secrets").symlink_to(tmp_path / "nowhere" / "else")
    with pytest.raises(ConfigError, match="cannot be made"):
        read_or_make_secret(tmp_path / "secrets" / "key")
