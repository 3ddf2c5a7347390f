"""A result gets its final name only when it is complete and durable; everything else is deleted."""

import errno
import os

import pytest

from gateway.errors import Unavailable
from gateway.jobs import files
from gateway.jobs.files import ExportSpaceMissing, ResultFile, check_space, format_bytes, remove_results, result_path
from tests.factories import make_config

JOB = "00000000-0000-4000-8000-00000000000a"


@pytest.fixture
def config(tmp_path):
    return make_config(exports_dir=tmp_path / "exports")


def names(config) -> list[str]:
    return [path.name for path in config.exports_dir.iterdir()]


def test_a_kept_result_gets_its_final_name(config):
    with ResultFile(config.exports_dir, f"{JOB}-1.mp4") as file:
        file.write(b"abcdef")
        file.write_at(1, b"BC")
        assert file.read_at(0, 4) == b"aBCd"
        assert names(config) == [f".{JOB}-1.mp4.part"]
        assert file.keep() == 6
    assert names(config) == [f"{JOB}-1.mp4"]
    assert result_path(config, f"{JOB}-1.mp4").read_bytes() == b"aBCdef"


def test_a_result_that_is_not_kept_is_deleted(config):
    with ResultFile(config.exports_dir, f"{JOB}-1.mp4") as file:
        file.write(b"abc")
    assert names(config) == []


def test_two_attempts_do_not_share_a_file(config):
    with ResultFile(config.exports_dir, f"{JOB}-1.mp4"), pytest.raises(Unavailable):
        ResultFile(config.exports_dir, f"{JOB}-1.mp4").__enter__()


def test_a_long_file_is_synced_while_it_is_written(config, monkeypatch):
    synced = []
    sync = os.fdatasync
    monkeypatch.setattr(files, "_SYNC_BYTES", 1000)
    monkeypatch.setattr(os, "fdatasync", lambda handle: (synced.append(handle), sync(handle)))
    with ResultFile(config.exports_dir, f"{JOB}-1.mp4") as file:
        for _ in range(25):
            file.write(bytes(100))
    assert len(synced) == 2


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (errno.ENOSPC, "disk_full"),
        (errno.EDQUOT, "disk_full"),
        (errno.EIO, "exports_unwritable"),
    ],
)
def test_an_error_of_the_disk_has_a_reason_code(config, monkeypatch, number, reason):
    def fail(*_):
        raise OSError(number, os.strerror(number))

    with ResultFile(config.exports_dir, f"{JOB}-1.mp4") as file:
        monkeypatch.setattr(os, "pwrite", fail)
        with pytest.raises(Unavailable) as caught:
            file.write_at(0, b"abc")
    assert caught.value.reason == reason
    assert names(config) == []


def test_a_folder_that_cannot_be_created_is_reported(tmp_path):
    (tmp_path / "file").write_text("")
    config = make_config(exports_dir=tmp_path / "file" / "exports")
    for action in (lambda: check_space(config, 1), lambda: ResultFile(config.exports_dir, "a.mp4").__enter__()):
        with pytest.raises(Unavailable) as caught:
            action()
        assert caught.value.reason == "exports_unwritable"


def test_a_result_may_not_take_the_reserved_space(config):
    check_space(config, 1000)
    with pytest.raises(ExportSpaceMissing) as caught:
        check_space(config, 1 << 60)
    assert "must stay free" in caught.value.message
    floor = make_config(exports_dir=config.exports_dir, free_bytes_floor=1 << 59)
    with pytest.raises(ExportSpaceMissing):
        check_space(floor, 1000)


@pytest.mark.parametrize("name", ["../secret", "a/b.mp4", "", ".hidden", "/etc/passwd"])
def test_a_name_cannot_leave_the_folder(config, name):
    with pytest.raises(ValueError, match="is not the name"):
        result_path(config, name)


def test_removing_results_deletes_the_files_of_one_job(config):
    config.exports_dir.mkdir()
    for name in (f"{JOB}-1.mp4", f".{JOB}-2.mp4.part", "00000000-0000-4000-8000-00000000000b-1.mp4"):
        (config.exports_dir / name).write_bytes(b"")
    assert remove_results(config, JOB) == 2
    assert names(config) == ["00000000-0000-4000-8000-00000000000b-1.mp4"]
    assert remove_results(make_config(exports_dir=config.exports_dir / "nowhere"), JOB) == 0


def test_removing_the_results_of_an_attempt_keeps_those_of_others(config):
    config.exports_dir.mkdir()
    for name in (f"{JOB}-1.mp4", f".{JOB}-1.mp4.part", f"{JOB}-10.mp4", f".{JOB}-2.mp4.part"):
        (config.exports_dir / name).write_bytes(b"")
    assert remove_results(config, f"{JOB}-1") == 2
    assert sorted(names(config)) == [f".{JOB}-2.mp4.part", f"{JOB}-10.mp4"]


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 bytes"),
        (1023, "1023 bytes"),
        (1536, "1.5 KiB"),
        (5 << 30, "5.0 GiB"),
        (5 << 40, "5120.0 GiB"),
    ],
)
def test_bytes_are_formatted_with_units(count, text):
    assert format_bytes(count) == text
