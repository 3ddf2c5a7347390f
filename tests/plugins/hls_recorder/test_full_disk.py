"""A real small file system that becomes full in the middle of a part."""

import os
import subprocess
from pathlib import Path

import pytest

from gateway.storage.interface import StorageFull
from tests.plugins.hls_recorder.world import World

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

_SIZE = 2 << 20


@pytest.fixture
def small_disk(world: World):
    """The recordings folder on a file system of two megabytes; where none can be mounted, below a quota that we
    play."""
    folder = world.config.recordings_dir
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={_SIZE}", "tmpfs", str(folder)], check=False, capture_output=True
    )
    if done.returncode == 0:
        yield None
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
        return
    yield from _played_quota(folder)


def _played_quota(folder: Path):
    real = os.pwrite
    patch = pytest.MonkeyPatch()

    def write(descriptor, data, offset):
        used = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        if used >= _SIZE:
            raise OSError(28, "No space left on device")
        return real(descriptor, data[: _SIZE - used], offset)

    patch.setattr("gateway.storage.local.os.pwrite", write)
    yield None
    patch.undo()


@pytest.mark.usefixtures("small_disk")
def test_a_disk_that_fills_up_keeps_every_whole_part_and_recording_resumes_with_space(world):
    ballast = world.config.recordings_dir / "ballast"
    world.size = 30_000
    world.attach()
    ballast.write_bytes(bytes(1 << 20))
    for _ in range(100):
        world.send()
        try:
            world.feed()
        except StorageFull:
            break
    else:
        raise AssertionError("the disk was never full")
    world.detach("disk_full")
    whole = len(world.recorded())
    assert whole > 10
    for _ in range(4):
        world.attach()
        world.fail(StorageFull)
        world.send()
    assert world.recording.reason_code == "disk_full"
    ballast.unlink()
    world.attach()
    world.record(4)
    world.detach()
    numbers = [number for _, number in world.recorded()]
    assert numbers == list(range(1, world.sequence + 1))
    assert world.gaps() == []
    world.check()
