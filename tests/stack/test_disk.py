"""The disk of tests behaves like real disks: it is full, hangs, loses its power, and is not mounted."""

import errno
import os
import threading

import pytest

from .disk import DiskUnavailableError, LoopDisk

pytestmark = pytest.mark.integration


@pytest.fixture
def disk(tmp_path):
    try:
        disk = LoopDisk(tmp_path, megabytes=8)
    except DiskUnavailableError as error:
        pytest.skip(str(error))
    yield disk
    disk.close()


def test_a_full_disk_refuses_writes_until_there_is_space(disk):
    file = disk.folder / "a"
    disk.fill(leave_bytes=8192)
    with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
        file.write_bytes(bytes(64_000))
    disk.make_room()
    file.write_bytes(bytes(64_000))


def test_a_frozen_disk_blocks_a_writer(disk):
    disk.freeze()
    done = threading.Event()
    threading.Thread(target=lambda: ((disk.folder / "a").write_bytes(b"x"), done.set()), daemon=True).start()
    assert not done.wait(0.3)
    disk.thaw()
    assert done.wait(5)


def test_a_power_cut_keeps_synced_data_only(disk):
    with (disk.folder / "a").open("wb", buffering=0) as file:
        file.write(bytes(5000))
        os.fsync(file.fileno())
        folder = os.open(disk.folder, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)
        file.write(bytes(5000))
        disk.cut_power()
        with pytest.raises(OSError, match=os.strerror(errno.EIO)):
            os.fsync(file.fileno())
    disk.unmount()
    assert not disk.is_mounted
    assert list(disk.folder.iterdir()) == []
    disk.mount()
    assert (disk.folder / "a").stat().st_size == 5000
