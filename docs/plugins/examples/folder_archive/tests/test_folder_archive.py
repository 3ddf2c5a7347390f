"""Copies of real footage in a folder, and what is read from them."""

import pytest

from gateway.plugin_api import ArchiveUnavailable, NotFound, open_storage, read_backlog


@pytest.fixture
def folder(plugin_trial, tmp_path):
    """The folder of the archive, which is set in the options."""
    path = tmp_path / "archive"
    path.mkdir()
    plugin_trial.set_options({"folder": str(path)})
    return path


def copies(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.mp4"))


def test_footage_is_copied_and_read_back(plugin_trial, folder):
    segments = [plugin_trial.facts.segment() for _ in range(3)]
    plugin_trial.run_service("copying", until=lambda: len(copies(folder)) == 3)
    assert copies(folder) == sorted(segment.key for segment in segments)
    (archive,) = plugin_trial.archives()
    data = b"".join(open_storage(plugin_trial.config).read(segments[0].key))
    assert b"".join(archive.read(segments[0].key)) == data
    assert b"".join(archive.read(segments[0].key, 100, 50)) == data[100:150]
    assert dict(archive.list("")) == {segment.key: segment.size for segment in segments}
    assert plugin_trial.health()["folder_archive"].detail == {"waiting_bytes": 0}


def test_a_copy_is_in_the_index_and_is_not_made_twice(plugin_trial, folder):
    plugin_trial.facts.segment()
    plugin_trial.run_service("copying", until=lambda: copies(folder))
    assert read_backlog([plugin_trial.device.id]).bytes == 0
    (copy,) = folder.rglob("*.mp4")
    copy.unlink()
    plugin_trial.run_service("copying", until=lambda: True)
    assert copies(folder) == []


def test_only_chosen_cameras_are_copied(plugin_trial, folder):
    plugin_trial.set_options({"archived": False}, device_id=plugin_trial.device.id)
    other = plugin_trial.add_device("Gate")
    plugin_trial.facts.segment()
    segment = plugin_trial.facts.segment(device_id=other.id)
    plugin_trial.run_service("copying", until=lambda: copies(folder))
    assert copies(folder) == [segment.key]


def test_a_folder_that_is_away_is_named_and_nothing_is_lost(plugin_trial, folder):
    segment = plugin_trial.facts.segment()
    folder.rename(folder.with_name("unmounted"))
    plugin_trial.run_service("copying", until=lambda: True)
    health = plugin_trial.health()["folder_archive"]
    assert (health.status, "does not exist" in health.reason) == ("down", True)
    (archive,) = plugin_trial.archives()
    with pytest.raises(ArchiveUnavailable):
        archive.size(segment.key)
    folder.with_name("unmounted").rename(folder)
    plugin_trial.run_service("copying", until=lambda: copies(folder))
    assert copies(folder) == [segment.key]


def test_what_is_not_there_is_not_found(plugin_trial, folder):
    (archive,) = plugin_trial.archives()
    with pytest.raises(NotFound):
        archive.read("nothing.mp4")
    assert archive.size("nothing.mp4") is None
    assert archive.delete("nothing.mp4") is False
