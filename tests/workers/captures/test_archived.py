"""Historical snapshots are decoded from archived footage; an archive that is away is the reason why there is none."""

import pytest

from gateway.errors import Unavailable
from gateway.storage.local import open_storage
from gateway.streams.bus import MediaBus
from tests.archives import FolderArchive, archive_device, remove_local_files
from tests.playback import NOON_MS, make_clip
from workers.captures.captures import Captures
from workers.captures.picture_sources import PictureSources
from workers.footage import open_worker_footage

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def test_a_snapshot_of_archived_footage(camera, config, tmp_path, monkeypatch):
    archive = FolderArchive(tmp_path / "archive")
    monkeypatch.setattr("workers.footage._collect_archives", lambda config: [archive])
    camera.footage.record(make_clip(seconds=4), NOON_MS - 60_000)
    storage = open_storage(config)
    ids = archive_device(camera.device_id, storage, archive)
    remove_local_files(camera.footage.recording_id, storage, ids)
    sources = PictureSources(MediaBus(camera.redis), open_worker_footage(config), camera.clock)
    camera.captures = Captures(config, sources, decoders=1)
    assert camera.number(camera.take(NOON_MS - 60_000 + 2000)) == 50
    archive.away = True
    open_worker_footage.cache_clear()
    sources = PictureSources(MediaBus(camera.redis), open_worker_footage(config), camera.clock)
    camera.captures = Captures(config, sources, decoders=1)
    assert camera.number(camera.take(NOON_MS - 60_000 + 2000)) == 50, "from the disk cache"
    for path in (config.var_dir / "archive-cache").rglob("*"):
        if path.is_file():
            path.write_bytes(b"damaged")
    open_worker_footage.cache_clear()
    sources = PictureSources(MediaBus(camera.redis), open_worker_footage(config), camera.clock)
    camera.captures = Captures(config, sources, decoders=1)
    with pytest.raises(Unavailable) as caught:
        camera.take(NOON_MS - 60_000 + 2000)
    assert caught.value.reason == "archive_unavailable"
